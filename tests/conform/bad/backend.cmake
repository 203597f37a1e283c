# SPDX-License-Identifier: MIT
# Backends: ref with one function replaced, so ref's sources are compiled once for all of them.
file(GLOB zoo_ref_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/plugins/backend/ref/ref_*.c")
add_library(zoo_ref OBJECT ${zoo_ref_sources})
target_include_directories(zoo_ref PUBLIC "${PROJECT_SOURCE_DIR}/plugins/backend/ref"
    "${PROJECT_SOURCE_DIR}/sdk/include")
target_compile_definitions(zoo_ref PRIVATE _GNU_SOURCE)
set_target_properties(zoo_ref PROPERTIES
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden)

ftk_right(bad_backend.c LIBRARIES zoo_ref)
foreach(rule 01 02 03 04 05 06 07 08 09 10 11 13 14 15 18 19 20 21 22)
    ftk_bad(BKD-${rule} bad_backend.c LIBRARIES zoo_ref)
endforeach()
foreach(variant 01.isa 02.ref 03.node 04.ref 06.value 07.momentum 08.mask 10.sparse 13.predict
        13.decay 14.all 18.step 19.value 20.ref 20.bias 20.adam 20.coupled 20.norm
        21.label 22.history)
    string(REPLACE "." ";" words ${variant})
    list(GET words 0 rule)
    list(GET words 1 name)
    ftk_bad(BKD-${rule} bad_backend.c VARIANT ${name} LIBRARIES zoo_ref)
endforeach()

# ref with members, bound images and selection, so that their rules are seen to pass too.
ftk_right(bad_backend_more.c LIBRARIES zoo_ref)
foreach(rule 12 16 17)
    ftk_bad(BKD-${rule} bad_backend_more.c LIBRARIES zoo_ref)
endforeach()
ftk_bad(BKD-12 bad_backend_more.c VARIANT sign LIBRARIES zoo_ref)
ftk_bad(BKD-16 bad_backend_more.c VARIANT edit LIBRARIES zoo_ref)
ftk_bad(BKD-17 bad_backend_more.c VARIANT reflect LIBRARIES zoo_ref)
ftk_bad(BKD-17 bad_backend_more.c VARIANT index LIBRARIES zoo_ref)
