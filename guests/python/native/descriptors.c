// Descriptors: how do `os.dup`, `os.dup2` and `os.pipe` work on a C library without them, and what
// of it is repaired?
//
// The C library keeps a table of descriptors: each entry has its data and the functions for it. A
// second descriptor is a second entry with the same data, whose function that frees it counts. A
// pipe is a buffer in memory. There is one thread, so a read that would wait for ever fails.

#include "module.h"

typedef unsigned long size_t;
typedef long long off_t;

typedef struct {
    void (*free)(void *);
    void *get_streams[2];
    int (*set_blocking)(void *, int);
    int (*fstat)(void *, unsigned *);
    void *get_file, *seek, *close_streams;
    int (*get_flags)(void *);
    int (*set_flags)(void *, int);
    void *of_sockets[7];
    long (*receive)(void *, void *, size_t, int, void *, void *);
    long (*send)(void *, const void *, size_t, int, const void *, unsigned);
    void *further[5];
} functions_t;

typedef struct {
    void *data;
    const functions_t *functions;
} entry_t;

int descriptor_table_insert(entry_t entry);
entry_t *descriptor_table_get_ref(int descriptor);
int descriptor_table_renumber(int from, int to);
int close(int descriptor);
off_t lseek(int descriptor, off_t offset, int from);
long write(int descriptor, const void *data, size_t length);
long pwrite(int descriptor, const void *data, size_t length, off_t offset);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void free(void *old);
int *__errno_location(void);

enum { EAGAIN = 6, EBADF = 8, EDEADLK = 16, EIO = 29, EPIPE = 64, ESPIPE = 70 };
enum { READ_ONLY = 0x04000000, WRITE_ONLY = 0x10000000, NON_BLOCKING = 4, FIFO = 0x1000 };
enum { FROM_START, FROM_HERE, FROM_END };
enum { MOST_DESCRIPTORS = 4096, LEAST_BYTES = 4096 };
// Of a pipe whose writer does not wait, as on Linux; any other has no end.
enum { PIPE_CAPACITY = 65536, ATOMIC_BYTES = 4096 };

static int fail(int error) {
    *__errno_location() = error;
    return -1;
}

// The data of several descriptors.
typedef struct shared {
    struct shared *next;
    void *data;
    void (*free)(void *);
    size_t count;
    functions_t functions;
} shared_t;

static shared_t *all_shared;

static void free_shared(void *data) {
    for (shared_t **place = &all_shared; *place; place = &(*place)->next) {
        shared_t *shared = *place;
        if (shared->data != data)
            continue;
        if (--shared->count == 0) {
            *place = shared->next;
            shared->free(data);
            free(shared);
        }
        return;
    }
}

static int duplicate(int descriptor) {
    entry_t *entry = descriptor_table_get_ref(descriptor);
    if (!entry)
        return fail(EBADF);
    shared_t *shared;
    if (entry->functions->free == free_shared) {
        shared = (shared_t *)((char *)entry->functions - __builtin_offsetof(shared_t, functions));
    } else {
        shared = malloc(sizeof(shared_t));
        if (!shared)
            return -1;
        *shared = (shared_t){all_shared, entry->data, entry->functions->free, 1, *entry->functions};
        shared->functions.free = free_shared;
        all_shared = shared;
        entry->functions = &shared->functions;
    }
    shared->count++;
    int made = descriptor_table_insert(*entry);
    if (made < 0)
        shared->count--;
    return made;
}

// Makes `wanted` a further name of the descriptor; an open one is closed first.
static int duplicate_as(int descriptor, int wanted) {
    if (wanted < 0 || wanted >= MOST_DESCRIPTORS || !descriptor_table_get_ref(descriptor))
        return fail(EBADF);
    if (descriptor == wanted)
        return wanted;
    int made = duplicate(descriptor);
    if (made < 0 || made == wanted)
        return made;
    if (descriptor_table_get_ref(wanted))
        return descriptor_table_renumber(made, wanted) < 0 ? -1 : wanted;
    // The table gives any free number, so the others are taken until it is the wanted one.
    int *taken = malloc(MOST_DESCRIPTORS * sizeof(int)), count = 0;
    if (!taken) {
        close(made);
        return -1;
    }
    while (made >= 0 && made != wanted && count < MOST_DESCRIPTORS) {
        taken[count++] = made;
        made = duplicate(descriptor);
    }
    int error = *__errno_location();
    while (count > 0)
        close(taken[--count]);
    free(taken);
    return made == wanted ? made : fail(error);
}

// The bytes from `start` to `end` are there to be read.
typedef struct {
    char *bytes;
    size_t start, end, size;
    unsigned readers, writers;
} pipe_t;

typedef struct {
    pipe_t *pipe;
    int is_writer, flags;
} pipe_end_t;

static void pipe_free(void *data) {
    pipe_end_t *end = data;
    pipe_t *pipe = end->pipe;
    if (end->is_writer)
        pipe->writers = 0;
    else
        pipe->readers = 0;
    if (!pipe->readers && !pipe->writers) {
        free(pipe->bytes);
        free(pipe);
    }
    free(end);
}

static int pipe_fstat(void *data, unsigned *stat) {
    __builtin_memset(stat, 0, 144);
    stat[6] = FIFO;
    return 0;
}

static int pipe_get_flags(void *data) {
    pipe_end_t *end = data;
    return end->flags | (end->is_writer ? WRITE_ONLY : READ_ONLY);
}

static int pipe_set_flags(void *data, int flags) {
    ((pipe_end_t *)data)->flags = flags & NON_BLOCKING;
    return 0;
}

static int pipe_set_blocking(void *data, int is_blocking) {
    return pipe_set_flags(data, is_blocking ? 0 : NON_BLOCKING);
}

static long pipe_receive(void *data, void *buffer, size_t length, int flags, void *address, void *size) {
    pipe_end_t *end = data;
    pipe_t *pipe = end->pipe;
    if (end->is_writer)
        return fail(EBADF);
    size_t there = pipe->end - pipe->start;
    if (!there && length && pipe->writers)
        return fail(end->flags & NON_BLOCKING ? EAGAIN : EDEADLK);
    if (length > there)
        length = there;
    __builtin_memcpy(buffer, pipe->bytes + pipe->start, length);
    pipe->start += length;
    if (pipe->start == pipe->end)
        pipe->start = pipe->end = 0;
    return length;
}

static long pipe_send(void *data, const void *buffer, size_t length, int flags, const void *address, unsigned size) {
    pipe_end_t *end = data;
    pipe_t *pipe = end->pipe;
    if (!end->is_writer)
        return fail(EBADF);
    if (!pipe->readers)
        return fail(EPIPE);
    if (end->flags & NON_BLOCKING) {
        size_t there = pipe->end - pipe->start;
        size_t room = there < PIPE_CAPACITY ? PIPE_CAPACITY - there : 0;
        if (length > room && (!room || length <= ATOMIC_BYTES))
            return fail(EAGAIN);
        length = length < room ? length : room;
    }
    if (length > pipe->size - pipe->end) {
        // What was read makes room first.
        __builtin_memmove(pipe->bytes, pipe->bytes + pipe->start, pipe->end - pipe->start);
        pipe->end -= pipe->start;
        pipe->start = 0;
    }
    if (length > pipe->size - pipe->end) {
        size_t wanted = pipe->end + length + (pipe->end + length) / 2 + LEAST_BYTES;
        char *bytes = wanted < length ? 0 : realloc(pipe->bytes, wanted);
        if (!bytes)
            return -1;
        pipe->bytes = bytes;
        pipe->size = wanted;
    }
    __builtin_memcpy(pipe->bytes + pipe->end, buffer, length);
    pipe->end += length;
    return length;
}

static const functions_t of_pipes = {
    .free = pipe_free,
    .set_blocking = pipe_set_blocking,
    .fstat = pipe_fstat,
    .get_flags = pipe_get_flags,
    .set_flags = pipe_set_flags,
    .receive = pipe_receive,
    .send = pipe_send,
};

static int open_end(pipe_t *pipe, int is_writer) {
    pipe_end_t *end = malloc(sizeof(pipe_end_t));
    if (!end)
        return -1;
    *end = (pipe_end_t){pipe, is_writer, 0};
    int made = descriptor_table_insert((entry_t){end, &of_pipes});
    if (made < 0)
        free(end);
    return made;
}

static int open_pipe(int ends[2]) {
    pipe_t *pipe = calloc(1, sizeof(pipe_t));
    if (!pipe)
        return -1;
    pipe->readers = pipe->writers = 1;
    ends[0] = open_end(pipe, 0);
    if (ends[0] < 0) {
        free(pipe);
        return -1;
    }
    ends[1] = open_end(pipe, 1);
    if (ends[1] < 0) {
        pipe->writers = 0;
        close(ends[0]);
        return -1;
    }
    return 0;
}

// The build puts the functions that follow in the place of the C library's own, which they
// call.

#define REPAIR __attribute__((visibility("default")))

// The data of a file, as far as it matters here.
typedef struct {
    long handle, padding;
    off_t offset;
    unsigned char is_appended;
} file_t;

static file_t *appended_file(int descriptor) {
    entry_t *entry = descriptor_table_get_ref(descriptor);
    // Only files can seek.
    file_t *file = entry && entry->functions->seek ? entry->data : 0;
    return file && file->is_appended & 1 ? file : 0;
}

// The library takes every place in a file that is appended to for its end.
REPAIR off_t repaired_lseek(int descriptor, off_t offset, int from) {
    entry_t *entry = descriptor_table_get_ref(descriptor);
    if (entry && entry->functions->receive == pipe_receive)
        return fail(ESPIPE);
    file_t *file = appended_file(descriptor);
    if (!file)
        return lseek(descriptor, offset, from);
    file->is_appended &= ~1;
    off_t place = lseek(descriptor, offset, from);
    file->is_appended |= 1;
    return place;
}

REPAIR off_t repaired_tell(int descriptor) { return repaired_lseek(descriptor, 0, FROM_HERE); }

// The library calls every failure of a stream an I/O error. A write without a stream fails with the
// reason. What fitted before counts as written.
REPAIR long repaired_write(int descriptor, const void *data, size_t length) {
    file_t *file = appended_file(descriptor);
    off_t end = file ? lseek(descriptor, 0, FROM_END) : 0;
    long written = write(descriptor, data, length);
    if (written >= 0 || *__errno_location() != EIO)
        return written;
    off_t place = lseek(descriptor, 0, FROM_HERE);
    if (place < 0)
        return fail(EIO);
    if (file && place > end)
        return place - end;
    written = pwrite(descriptor, data, length, place);
    if (written > 0)
        repaired_lseek(descriptor, place + written, FROM_START);
    return written;
}

#include "errors.h"
#include "strings.h"

// What follows are functions of Python.

int PyArg_ParseTupleAndKeywords(PyObject *arguments, PyObject *named, const char *format, char *const *names, ...);
PyObject *PyErr_SetFromErrno(PyObject *kind);
extern PyObject *PyExc_OSError;

static PyObject *dup(PyObject *module, PyObject *arguments) {
    int descriptor;
    if (!PyArg_ParseTuple(arguments, "i:dup", &descriptor))
        return 0;
    int made = duplicate(descriptor);
    return made < 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_BuildValue("i", made);
}

static PyObject *dup2(PyObject *module, PyObject *arguments, PyObject *named) {
    static char *const names[] = {"fd", "fd2", "inheritable", 0};
    int descriptor, wanted, inheritable;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "ii|p:dup2", names, &descriptor, &wanted, &inheritable))
        return 0;
    int made = duplicate_as(descriptor, wanted);
    return made < 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_BuildValue("i", made);
}

static PyObject *pipe(PyObject *module, PyObject *none) {
    int ends[2];
    if (open_pipe(ends) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return Py_BuildValue("ii", ends[0], ends[1]);
}

static const method_t methods[] = {
    {"dup", dup, METH_VARARGS,
     "dup($module, fd, /)\n--\n\nReturn a duplicate of a file descriptor."},
    {"dup2", (PyObject * (*)(PyObject *, PyObject *)) dup2, METH_VARARGS | METH_KEYWORDS,
     "dup2($module, /, fd, fd2, inheritable=True)\n--\n\nDuplicate file descriptor."},
    {"pipe", pipe, METH_NOARGS,
     "pipe($module, /)\n--\n\nCreate a pipe.\n\nReturns a tuple of two file descriptors:\n  (read_fd, write_fd)"},
    {"name_errors", name_errors, METH_O, 0},
    {0},
};

MODULE("posix", _descriptors, methods)
