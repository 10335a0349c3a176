// SQLite: how is it compiled for the guest?
//
// As for Unix and not as for WASI, for which it leaves out locks and shared memory: there is one
// process, so connections need only agree among themselves, and the "unix-excl" variant does
// that in memory. The functions that the C library lacks say so, or have nothing to do.

#define _WASI_EMULATED_MMAN
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#undef __wasi__

// Commands and types that the headers leave out; the numbers are of no meaning elsewhere.
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7

// No other process holds a lock.
static int control(int descriptor, int command, ...) {
    va_list rest;
    va_start(rest, command);
    int result = 0;
    if (command == F_GETLK)
        va_arg(rest, struct flock *)->l_type = F_UNLCK;
    else if (command != F_SETLK && command != F_SETLKW)
        result = fcntl(descriptor, command, va_arg(rest, int));
    va_end(rest);
    return result;
}

static int change_mode(int descriptor, mode_t mode) { return 0; }
static int change_owner(int descriptor, uid_t user, gid_t group) { return 0; }
static uid_t user(void) { return 1; }
static pid_t process(void) { return 1; }
// Only the index of a write-ahead log is mapped, once for all connections, and by one that may only
// read even under "unix-excl". No other process looks at it, so ordinary memory is enough.
static void *map(void *place, size_t size, int protection, int flags, int descriptor, off_t offset) {
    void *memory = calloc(1, size);
    return memory != NULL ? memory : MAP_FAILED;
}
static int unmap(void *place, size_t size) {
    free(place);
    return 0;
}

#define fcntl control
#define fchmod change_mode
#define fchown change_owner
#define geteuid user
#define getpid process
#define mmap map
#define munmap unmap

#define SQLITE_API __attribute__((visibility("default")))
#define SQLITE_DEFAULT_UNIX_VFS "unix-excl"
#define SQLITE_THREADSAFE 0
#define USE_PREAD 1
#define SQLITE_MAX_MMAP_SIZE 0
// Temporary files would count as the program's own.
#define SQLITE_TEMP_STORE 2
#define SQLITE_DEFAULT_MEMSTATUS 0
#define SQLITE_OMIT_LOAD_EXTENSION
#define SQLITE_ENABLE_COLUMN_METADATA
#define SQLITE_ENABLE_DBSTAT_VTAB
#define SQLITE_ENABLE_FTS3
#define SQLITE_ENABLE_FTS3_PARENTHESIS
#define SQLITE_ENABLE_FTS4
#define SQLITE_ENABLE_FTS5
#define SQLITE_ENABLE_MATH_FUNCTIONS
#define SQLITE_ENABLE_PERCENTILE
#define SQLITE_ENABLE_RTREE
#define SQLITE_ENABLE_STAT4 1
#define HAVE_FCHMOD 1
#define HAVE_FCHOWN 1
#define HAVE_READLINK 1
#define HAVE_LSTAT 1
#define HAVE_LOCALTIME_R 1
#define HAVE_GMTIME_R 1
#define HAVE_USLEEP 1
#define HAVE_NANOSLEEP 1
#include "sqlite3.c"
