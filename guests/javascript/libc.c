//! WASI preview 1 for the C library: what answers the functions that wasi-libc imports?
//!
//! wasi-libc calls preview 1, which the guest must not import. The few functions that the engine can reach are answered here; each has
//! the linker name under which wasi-libc declares its import.

#define ERRNO_BADF 8
#define ERRNO_NOSYS 52

// Set by the first evaluation. Before it, during pre-initialisation, no import may be called.
static bool host_is_there;

static uint64_t clock_nanoseconds(uint32_t clock) {
    if (!host_is_there)
        return 0;
    if (clock != 0)
        return wasi_monotonic_now();
    datetime_t now;
    wasi_wall_now(&now);
    return now.seconds * UINT64_C(1000000000) + now.nanoseconds;
}

int32_t __imported_wasi_snapshot_preview1_clock_time_get(int32_t clock, int64_t precision, int32_t result) {
    *(uint64_t *)result = clock_nanoseconds((uint32_t)clock);
    return 0;
}

// Standard output of the C library: only the engine's own debugging aids would use it, and they are compiled out.
int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t fd, int32_t vectors, int32_t count, int32_t written) {
    return ERRNO_BADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_read(int32_t fd, int32_t vectors, int32_t count, int32_t read) {
    return ERRNO_BADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t fd, int64_t offset, int32_t whence, int32_t position) {
    return ERRNO_BADF;
}

// The C library's own declares its import in a way that nothing can stand in for.
int close(int fd) {
    errno = EBADF;
    return -1;
}

int32_t __imported_wasi_snapshot_preview1_fd_fdstat_get(int32_t fd, int32_t result) {
    return ERRNO_BADF;
}

int32_t __imported_wasi_snapshot_preview1_environ_sizes_get(int32_t count, int32_t size) {
    *(uint32_t *)count = 0;
    *(uint32_t *)size = 0;
    return 0;
}

int32_t __imported_wasi_snapshot_preview1_environ_get(int32_t pointers, int32_t bytes) {
    return 0;
}

_Noreturn void __imported_wasi_snapshot_preview1_proc_exit(int32_t code) {
    __builtin_trap();
}

// Memory for what the host passes in. Out of memory has no answer in this interface, so it traps.
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size) {
    if (size == 0)
        return (void *)alignment;
    void *memory = realloc(old_size ? old : NULL, size);
    if (!memory)
        __builtin_trap();
    return memory;
}

// Frees what `cabi_realloc` gave; an empty list has no memory behind it.
static void free_list(wasi_list_t list) {
    if (list.length)
        free(list.bytes);
}
