/* SPDX-License-Identifier: MIT
 * rounding.c - changes how everybody computes: by its rounding mode, or by flushing small numbers
 * to zero, as the start-up code that -ffast-math links in does.
 */
#include <freetickets/plugin.h>
#include <fenv.h>
#if defined(FLUSH_TO_ZERO) && defined(__SSE__)
#include <xmmintrin.h>
#endif

__attribute__((constructor)) static void change(void)
{
#if defined(FLUSH_TO_ZERO) && defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8000u);
#else
    fesetround(FE_UPWARD);
#endif
}

FTK_PLUGIN("org.example.rounding", "1.0.0", "MIT", NULL);
