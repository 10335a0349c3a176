//! WASI 0.2 imports: which functions does the guest import, and what is the layout of their results?
//!
//! These are the canonical-ABI forms of the WASI 0.2 functions and of `glovebox:guest/host`. `guests/wit/javascript.wit` lists the same
//! functions; the component encoder refuses a module whose imports differ from it.
#ifndef GLOVEBOX_WASI_H
#define GLOVEBOX_WASI_H

#include <stdbool.h>
#include <stdint.h>

#define WASI_IMPORT(interface, function) __attribute__((import_module(interface), import_name(function)))

typedef int32_t handle_t;

// A string or list that the host put into our memory through `cabi_realloc`. Its receiver frees it.
typedef struct {
    uint8_t *bytes;
    uint32_t length;
} wasi_list_t;

#define CLI_STDIN "wasi:cli/stdin@0.2.0"
#define CLI_STDOUT "wasi:cli/stdout@0.2.0"
#define CLI_STDERR "wasi:cli/stderr@0.2.0"
#define IO_STREAMS "wasi:io/streams@0.2.0"
#define IO_ERROR "wasi:io/error@0.2.0"
#define MONOTONIC_CLOCK "wasi:clocks/monotonic-clock@0.2.0"
#define WALL_CLOCK "wasi:clocks/wall-clock@0.2.0"
#define RANDOM "wasi:random/random@0.2.0"
#define PREOPENS "wasi:filesystem/preopens@0.2.0"
#define FILES "wasi:filesystem/types@0.2.0"
#define HOST "glovebox:guest/host@0.1.0"

WASI_IMPORT(CLI_STDIN, "get-stdin") handle_t wasi_get_stdin(void);
WASI_IMPORT(CLI_STDOUT, "get-stdout") handle_t wasi_get_stdout(void);
WASI_IMPORT(CLI_STDERR, "get-stderr") handle_t wasi_get_stderr(void);

enum { STREAM_FAILED = 0, STREAM_CLOSED = 1 };

// result<list<u8>, stream-error>
typedef struct {
    uint8_t is_error;
    union {
        wasi_list_t chunk;
        struct {
            uint8_t kind;
            handle_t error;
        };
    };
} stream_read_t;

// result<_, stream-error>
typedef struct {
    uint8_t is_error;
    uint8_t kind __attribute__((aligned(4)));
    handle_t error;
} stream_done_t;

// result<u64, stream-error>
typedef struct {
    uint8_t is_error;
    union {
        uint64_t permit;
        struct {
            uint8_t kind;
            handle_t error;
        };
    };
} stream_permit_t;

WASI_IMPORT(IO_STREAMS, "[method]input-stream.blocking-read")
void wasi_blocking_read(handle_t stream, uint64_t length, stream_read_t *result);
WASI_IMPORT(IO_STREAMS, "[method]output-stream.check-write") void wasi_check_write(handle_t stream, stream_permit_t *result);
WASI_IMPORT(IO_STREAMS, "[method]output-stream.write")
void wasi_write(handle_t stream, const uint8_t *bytes, uint32_t length, stream_done_t *result);
WASI_IMPORT(IO_STREAMS, "[method]output-stream.blocking-flush") void wasi_blocking_flush(handle_t stream, stream_done_t *result);
WASI_IMPORT(IO_STREAMS, "[method]output-stream.blocking-write-and-flush")
void wasi_blocking_write_and_flush(handle_t stream, const uint8_t *bytes, uint32_t length, stream_done_t *result);
WASI_IMPORT(IO_ERROR, "[resource-drop]error") void wasi_drop_error(handle_t error);

typedef struct {
    uint64_t seconds;
    uint32_t nanoseconds;
} datetime_t;

WASI_IMPORT(MONOTONIC_CLOCK, "now") uint64_t wasi_monotonic_now(void);
WASI_IMPORT(WALL_CLOCK, "now") void wasi_wall_now(datetime_t *result);
WASI_IMPORT(RANDOM, "get-random-bytes") void wasi_random_bytes(uint64_t length, wasi_list_t *result);

typedef struct {
    handle_t descriptor;
    wasi_list_t name;
} preopen_t;

typedef struct {
    preopen_t *items;
    uint32_t length;
} preopen_list_t;

WASI_IMPORT(PREOPENS, "get-directories") void wasi_preopens(preopen_list_t *result);

// result<_, error-code>
typedef struct {
    uint8_t is_error;
    uint8_t code;
} file_done_t;

// result<descriptor | directory-entry-stream, error-code>
typedef struct {
    uint8_t is_error;
    union {
        handle_t handle;
        uint8_t code;
    };
} file_handle_t;

// result<tuple<list<u8>, bool>, error-code>
typedef struct {
    uint8_t is_error;
    union {
        struct {
            wasi_list_t chunk;
            uint8_t at_end;
        };
        uint8_t code;
    };
} file_read_t;

// result<u64, error-code>
typedef struct {
    uint8_t is_error;
    union {
        uint64_t size;
        uint8_t code;
    };
} file_size_t;

// result<string, error-code>
typedef struct {
    uint8_t is_error;
    union {
        wasi_list_t text;
        uint8_t code;
    };
} file_text_t;

typedef struct {
    uint8_t is_some;
    datetime_t time;
} optional_time_t;

// result<descriptor-stat, error-code>
typedef struct {
    uint8_t is_error;
    union {
        struct {
            uint8_t type;
            uint64_t links;
            uint64_t size;
            optional_time_t accessed;
            optional_time_t modified;
            optional_time_t changed;
        };
        uint8_t code;
    };
} file_stat_t;

// result<option<directory-entry>, error-code>
typedef struct {
    uint8_t is_error;
    union {
        struct {
            uint8_t is_some;
            uint8_t type __attribute__((aligned(4)));
            wasi_list_t name;
        };
        uint8_t code;
    };
} file_entry_t;

_Static_assert(sizeof(stream_read_t) == 12 && sizeof(stream_done_t) == 12 && sizeof(stream_permit_t) == 16, "stream results");
_Static_assert(sizeof(file_stat_t) == 104 && sizeof(file_entry_t) == 20 && sizeof(file_read_t) == 16, "file results");

enum { TYPE_DIRECTORY = 3, TYPE_SYMBOLIC_LINK = 5, TYPE_REGULAR_FILE = 6 };
enum { OPEN_CREATE = 1, OPEN_DIRECTORY = 2, OPEN_EXCLUSIVE = 4, OPEN_TRUNCATE = 8 };
enum { FLAG_READ = 1, FLAG_WRITE = 2, FLAG_MUTATE_DIRECTORY = 32 };
enum { FOLLOW_LINKS = 1 };

WASI_IMPORT(FILES, "[method]descriptor.read")
void wasi_file_read(handle_t file, uint64_t length, uint64_t offset, file_read_t *result);
WASI_IMPORT(FILES, "[method]descriptor.write")
void wasi_file_write(handle_t file, const uint8_t *bytes, uint32_t length, uint64_t offset, file_size_t *result);
WASI_IMPORT(FILES, "[method]descriptor.set-size") void wasi_file_set_size(handle_t file, uint64_t size, file_done_t *result);
WASI_IMPORT(FILES, "[method]descriptor.stat") void wasi_file_stat(handle_t file, file_stat_t *result);
WASI_IMPORT(FILES, "[method]descriptor.stat-at")
void wasi_stat_at(handle_t base, int32_t path_flags, const char *path, uint32_t length, file_stat_t *result);
WASI_IMPORT(FILES, "[method]descriptor.open-at")
void wasi_open_at(handle_t base, int32_t path_flags, const char *path, uint32_t length, int32_t open_flags, int32_t flags,
                  file_handle_t *result);
WASI_IMPORT(FILES, "[method]descriptor.create-directory-at")
void wasi_create_directory_at(handle_t base, const char *path, uint32_t length, file_done_t *result);
WASI_IMPORT(FILES, "[method]descriptor.remove-directory-at")
void wasi_remove_directory_at(handle_t base, const char *path, uint32_t length, file_done_t *result);
WASI_IMPORT(FILES, "[method]descriptor.unlink-file-at")
void wasi_unlink_file_at(handle_t base, const char *path, uint32_t length, file_done_t *result);
WASI_IMPORT(FILES, "[method]descriptor.rename-at")
void wasi_rename_at(handle_t base, const char *path, uint32_t length, handle_t new_base, const char *new_path, uint32_t new_length,
                    file_done_t *result);
WASI_IMPORT(FILES, "[method]descriptor.symlink-at")
void wasi_symlink_at(handle_t base, const char *target, uint32_t target_length, const char *path, uint32_t length,
                     file_done_t *result);
WASI_IMPORT(FILES, "[method]descriptor.readlink-at")
void wasi_readlink_at(handle_t base, const char *path, uint32_t length, file_text_t *result);
WASI_IMPORT(FILES, "[method]descriptor.read-directory") void wasi_read_directory(handle_t directory, file_handle_t *result);
WASI_IMPORT(FILES, "[method]directory-entry-stream.read-directory-entry")
void wasi_next_entry(handle_t stream, file_entry_t *result);
WASI_IMPORT(FILES, "[resource-drop]descriptor") void wasi_drop_descriptor(handle_t descriptor);
WASI_IMPORT(FILES, "[resource-drop]directory-entry-stream") void wasi_drop_entries(handle_t stream);

// option<call-id>
typedef struct {
    uint8_t is_some;
    uint32_t call;
} optional_call_t;

// result<string, failure>
typedef struct {
    uint8_t is_error;
    union {
        wasi_list_t value;
        struct {
            wasi_list_t kind;
            wasi_list_t message;
        };
    };
} call_result_t;

WASI_IMPORT(HOST, "start-call")
uint32_t host_start_call(const char *name, uint32_t name_length, const char *arguments, uint32_t arguments_length);
WASI_IMPORT(HOST, "wait-any")
void host_wait_any(const uint32_t *calls, uint32_t count, int32_t has_timeout, uint64_t timeout_ns, optional_call_t *result);
WASI_IMPORT(HOST, "finish-call") void host_finish_call(uint32_t call, call_result_t *result);

#endif
