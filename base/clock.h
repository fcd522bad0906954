/* The two clocks, behind one seam that tests wrap (--wrap=clock_wall_us, --wrap=clock_mono_ms). */
#ifndef TAILGATE_BASE_CLOCK_H
#define TAILGATE_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_us(void); /* since the epoch; for what people read */
int64_t clock_mono_ms(void); /* for durations and deadlines */
int64_t clock_mono_us(void);

#endif
