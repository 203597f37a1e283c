# SPDX-License-Identifier: MIT
# FreeTicketsPlugin.cmake - how a plugin is built, in this tree and against an installed SDK.
#
#     freetickets_add_plugin(prune_my_idea SOURCES prune_my_idea.c
#                            [INCLUDE folders...] [LIBRARIES libraries...])
#
# makes the module prune_my_idea.so in ${CMAKE_BINARY_DIR}/plugins: C11 (C++17 for .cc files),
# hidden visibility, only the two symbols of plug.map exported, no symbol left undefined,
# no contraction of a * b + c, all warnings errors (off with --compile-no-warning-as-error).
# `cmake --install` puts it where the program looks, under lib/freetickets/plugins.

set(FREETICKETS_PLUGIN_MAP "${CMAKE_CURRENT_LIST_DIR}/plug.map")

# Text for the stamp: what an error report about the plugin needs.
function(_freetickets_built_with ret_text)
    set(text "${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}")
    if(CMAKE_BUILD_TYPE)
        string(APPEND text ", ${CMAKE_BUILD_TYPE}")
    endif()
    set(${ret_text} "${text}" PARENT_SCOPE)
endfunction()

# Clang leaves the sanitizers' symbols to the program, so -z defs cannot hold there.
function(_freetickets_sanitized ret_yes)
    get_directory_property(options COMPILE_OPTIONS)
    set(${ret_yes} FALSE PARENT_SCOPE)
    if("${options} ${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize=")
        set(${ret_yes} TRUE PARENT_SCOPE)
    endif()
endfunction()

function(freetickets_add_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;INCLUDE;LIBRARIES")
    if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "freetickets_add_plugin(${name}): SOURCES files... "
            "[INCLUDE folders...] [LIBRARIES libraries...], not '${arg_UNPARSED_ARGUMENTS}'")
    endif()
    _freetickets_built_with(built_with)
    _freetickets_sanitized(sanitized)

    add_library(${name} MODULE ${arg_SOURCES})
    target_include_directories(${name} PRIVATE ${arg_INCLUDE})
    target_link_libraries(${name} PRIVATE freetickets::sdk ${arg_LIBRARIES})
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE "FTK_BUILT_WITH=\"${built_with}\"")
    target_compile_options(${name} PRIVATE
        -Wall -Wextra -pedantic -Wconversion -Wshadow -ffp-contract=off
        $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>)
    target_link_options(${name} PRIVATE "LINKER:--version-script=${FREETICKETS_PLUGIN_MAP}")
    if(NOT sanitized)
        target_link_options(${name} PRIVATE "LINKER:-z,defs")
    endif()
    set(as_error ON)
    if(DEFINED FTK_WERROR) # the tree's own choice
        set(as_error ${FTK_WERROR})
    endif()
    set_target_properties(${name} PROPERTIES
        PREFIX ""
        C_STANDARD 11
        C_STANDARD_REQUIRED ON
        C_EXTENSIONS OFF
        CXX_STANDARD 17
        CXX_STANDARD_REQUIRED ON
        CXX_EXTENSIONS OFF
        C_VISIBILITY_PRESET hidden
        CXX_VISIBILITY_PRESET hidden
        COMPILE_WARNING_AS_ERROR ${as_error}
        LINK_DEPENDS "${FREETICKETS_PLUGIN_MAP}"
        LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")

    if(NOT CMAKE_INSTALL_LIBDIR)
        set(CMAKE_INSTALL_LIBDIR lib)
    endif()
    install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/freetickets/plugins)
endfunction()
