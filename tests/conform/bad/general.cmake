# SPDX-License-Identifier: MIT
# The rules that hold for every kind.
ftk_right(bad_common.c)
foreach(rule LIF-01 LIF-02 LIF-03 MEM-01 MEM-02 MEM-03 OOM-01 ERR-01 DET-01 DET-02 DET-03 DET-04
        DET-05 DET-06 STA-01 STA-02 STA-03 THR-01 THR-02 ENV-02 ABI-07)
    ftk_bad(${rule} bad_common.c)
endforeach()
ftk_bad(LIF-01 bad_common.c VARIANT malloc)
ftk_bad(LIF-01 bad_common.c VARIANT call)
ftk_bad(LIF-01 bad_common.c VARIANT null)
ftk_bad(MEM-01 bad_common.c VARIANT write)
ftk_bad(MEM-01 bad_common.c VARIANT input)
ftk_bad(OOM-01 bad_common.c VARIANT leak)
ftk_bad(ERR-01 bad_common.c VARIANT lines)
ftk_bad(DET-03 bad_common.c VARIANT address)
ftk_bad(DET-05 bad_common.c VARIANT shared)
ftk_bad(DET-06 bad_common.c VARIANT claim)
ftk_bad(ABI-07 bad_common.c VARIANT host)
foreach(what float locale handler mask umask cwd environment opens closes thread child)
    ftk_bad(ENV-02 bad_common.c VARIANT ${what})
endforeach()

# The same in other kinds, whose calls and whose memory are others.
foreach(kind select allot density metric op)
    ftk_right(bad_common_${kind}.c)
    foreach(rule LIF-01 LIF-02 LIF-03 MEM-01 MEM-02 MEM-03 OOM-01 ERR-01 DET-01 DET-02 DET-03 DET-05
            THR-01 THR-02 ENV-02 ABI-07)
        ftk_bad(${rule} bad_common_${kind}.c VARIANT ${kind})
    endforeach()
endforeach()
foreach(kind select allot)
    ftk_bad(STA-02 bad_common_${kind}.c VARIANT ${kind})
endforeach()
foreach(kind select allot density metric)
    ftk_bad(STA-01 bad_common_${kind}.c VARIANT ${kind})
endforeach()
foreach(kind select density)
    ftk_bad(DET-06 bad_common_${kind}.c VARIANT ${kind})
endforeach()
foreach(kind select allot op)
    ftk_bad(MEM-01 bad_common_${kind}.c VARIANT ${kind}_input)
endforeach()

# What no rule is about, but the kit must bear and tell: test_misbehaviour.sh.
foreach(what nothing crashes overruns aborts recurses killed hangs spins exits exits_at_once forks returns_in_child
        closes_all writes_verdict)
    string(TOUPPER "MISBEHAVE_${what}" define)
    ftk_zoo_plugin(misbehaves-${what} "${CMAKE_CURRENT_LIST_DIR}/bad_behaviour.c" misbehaves ${what}
        DEFINES ${define})
endforeach()
ftk_zoo_plugin(misbehaves-throws "${CMAKE_CURRENT_LIST_DIR}/bad_throws.cc" misbehaves throws)
