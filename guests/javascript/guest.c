//! Translation unit of the JavaScript guest: which files does it include, in which order?
//!
//! One translation unit: our allocator, the engine's sources with the edits of `engine_edits.txt`, then ours, which use the engine's internals where its public
//! interface has no answer (random state, job queue, class identities).

#define _GNU_SOURCE 1
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "memory.c"

#include "cutils.h"

// From here on the engine must not know that it is inside WASI: it would turn its stack limit off. Atomics go with it, as there are no
// threads.
#undef __wasi__
#define __STDC_NO_ATOMICS__ 1
#ifndef FE_DOWNWARD
#define FE_DOWNWARD 0
#define FE_UPWARD 0
#endif

// Small blocks too come from our allocator: it lays them out densely, see `memory.c`.
#define __SANITIZE_ADDRESS__ 1

// Local times are those of the zone that `TZ` names, see `zones.c`.
static int64_t zone_offset_of_local(int64_t milliseconds);
struct tm *zone_localtime_r(const time_t *seconds, struct tm *result);
#define localtime_r zone_localtime_r
#include "quickjs.h"

#include "edited.h"

#include "dtoa.c"
#include "libunicode.c"
#include "libregexp.c"
#include "quickjs.c"

#include "wasi.h"
#include "libc.c"
#include "streams.c"
#include "paths.c"
#include "state.c"
#include "text.c"
#include "stacks.c"
#include "messages.c"
#include "bytecode_walk.c"
#include "callee.c"
#include "frames.c"
#include "guards.c"
#include "values.c"
#include "files.c"
#include "hashes.c"
#include "derive.c"
#include "lazy.c"
#include "zones.c"
#include "locales.c"
#include "natives.c"
#include "modules.c"
#include "prelude.c"
#include "sessions.c"
#include "jobs.c"
#include "evaluate.c"
