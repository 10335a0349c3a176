// Errors: how do programs see the numbers and texts that errors have on Linux?
//
// The C library numbers them as WASI does, and so does everything in CPython that compares with
// `errno`. A number is translated where Python gets to see it: where an exception is made of it.
// From there on, `errno`, `os.strerror` and the choice of the exception's class know Linux only.

// ROW(name, number of Linux, number of WASI or 0, text), in the order of CPython's `errno`.
#define ERRORS(ROW) \
    ROW(ENODEV, 19, 43, "No such device") \
    ROW(ENOCSI, 50, 0, "No CSI structure available") \
    ROW(EHOSTUNREACH, 113, 23, "No route to host") \
    ROW(ENOMSG, 42, 49, "No message of desired type") \
    ROW(EUCLEAN, 117, 0, "Structure needs cleaning") \
    ROW(EL2NSYNC, 45, 0, "Level 2 not synchronized") \
    ROW(EL2HLT, 51, 0, "Level 2 halted") \
    ROW(ENODATA, 61, 0, "No data available") \
    ROW(ENOTBLK, 15, 0, "Block device required") \
    ROW(ENOSYS, 38, 52, "Function not implemented") \
    ROW(EPIPE, 32, 64, "Broken pipe") \
    ROW(EINVAL, 22, 28, "Invalid argument") \
    ROW(EOVERFLOW, 75, 61, "Value too large for defined data type") \
    ROW(EADV, 68, 0, "Advertise error") \
    ROW(EINTR, 4, 27, "Interrupted system call") \
    ROW(EUSERS, 87, 0, "Too many users") \
    ROW(ENOTEMPTY, 39, 55, "Directory not empty") \
    ROW(ENOBUFS, 105, 42, "No buffer space available") \
    ROW(EPROTO, 71, 65, "Protocol error") \
    ROW(EREMOTE, 66, 0, "Object is remote") \
    ROW(ENAVAIL, 119, 0, "No XENIX semaphores available") \
    ROW(ECHILD, 10, 12, "No child processes") \
    ROW(ELOOP, 40, 32, "Too many levels of symbolic links") \
    ROW(EXDEV, 18, 75, "Invalid cross-device link") \
    ROW(E2BIG, 7, 1, "Argument list too long") \
    ROW(ESRCH, 3, 71, "No such process") \
    ROW(EMSGSIZE, 90, 35, "Message too long") \
    ROW(EAFNOSUPPORT, 97, 5, "Address family not supported by protocol") \
    ROW(EBADR, 53, 0, "Invalid request descriptor") \
    ROW(EHOSTDOWN, 112, 0, "Host is down") \
    ROW(EPFNOSUPPORT, 96, 0, "Protocol family not supported") \
    ROW(ENOPROTOOPT, 92, 50, "Protocol not available") \
    ROW(EBUSY, 16, 10, "Device or resource busy") \
    ROW(EWOULDBLOCK, 11, 6, "Resource temporarily unavailable") \
    ROW(EBADFD, 77, 0, "File descriptor in bad state") \
    ROW(EDOTDOT, 73, 0, "RFS specific error") \
    ROW(EISCONN, 106, 30, "Transport endpoint is already connected") \
    ROW(ENOANO, 55, 0, "No anode") \
    ROW(ESHUTDOWN, 108, 0, "Cannot send after transport endpoint shutdown") \
    ROW(ECHRNG, 44, 0, "Channel number out of range") \
    ROW(ELIBBAD, 80, 0, "Accessing a corrupted shared library") \
    ROW(ENONET, 64, 0, "Machine is not on the network") \
    ROW(EBADE, 52, 0, "Invalid exchange") \
    ROW(EBADF, 9, 8, "Bad file descriptor") \
    ROW(EMULTIHOP, 72, 36, "Multihop attempted") \
    ROW(EIO, 5, 29, "Input/output error") \
    ROW(EUNATCH, 49, 0, "Protocol driver not attached") \
    ROW(EPROTOTYPE, 91, 67, "Protocol wrong type for socket") \
    ROW(ENOSPC, 28, 51, "No space left on device") \
    ROW(ENOEXEC, 8, 45, "Exec format error") \
    ROW(EALREADY, 114, 7, "Operation already in progress") \
    ROW(ENETDOWN, 100, 38, "Network is down") \
    ROW(ENOTNAM, 118, 0, "Not a XENIX named type file") \
    ROW(EACCES, 13, 2, "Permission denied") \
    ROW(ELNRNG, 48, 0, "Link number out of range") \
    ROW(EILSEQ, 84, 25, "Invalid or incomplete multibyte or wide character") \
    ROW(ENOTDIR, 20, 54, "Not a directory") \
    ROW(ENOTUNIQ, 76, 0, "Name not unique on network") \
    ROW(EPERM, 1, 63, "Operation not permitted") \
    ROW(EDOM, 33, 18, "Numerical argument out of domain") \
    ROW(EXFULL, 54, 0, "Exchange full") \
    ROW(ECONNREFUSED, 111, 14, "Connection refused") \
    ROW(EISDIR, 21, 31, "Is a directory") \
    ROW(EPROTONOSUPPORT, 93, 66, "Protocol not supported") \
    ROW(EROFS, 30, 69, "Read-only file system") \
    ROW(EADDRNOTAVAIL, 99, 4, "Cannot assign requested address") \
    ROW(EIDRM, 43, 24, "Identifier removed") \
    ROW(ECOMM, 70, 0, "Communication error on send") \
    ROW(ESRMNT, 69, 0, "Srmount error") \
    ROW(EREMOTEIO, 121, 0, "Remote I/O error") \
    ROW(EL3RST, 47, 0, "Level 3 reset") \
    ROW(EBADMSG, 74, 9, "Bad message") \
    ROW(ENFILE, 23, 41, "Too many open files in system") \
    ROW(ELIBMAX, 82, 0, "Attempting to link in too many shared libraries") \
    ROW(ESPIPE, 29, 70, "Illegal seek") \
    ROW(ENOLINK, 67, 47, "Link has been severed") \
    ROW(ENETRESET, 102, 39, "Network dropped connection on reset") \
    ROW(ETIMEDOUT, 110, 73, "Connection timed out") \
    ROW(ENOENT, 2, 44, "No such file or directory") \
    ROW(EEXIST, 17, 20, "File exists") \
    ROW(EDQUOT, 122, 19, "Disk quota exceeded") \
    ROW(ENOSTR, 60, 0, "Device not a stream") \
    ROW(EBADSLT, 57, 0, "Invalid slot") \
    ROW(EBADRQC, 56, 0, "Invalid request code") \
    ROW(ELIBACC, 79, 0, "Can not access a needed shared library") \
    ROW(EFAULT, 14, 21, "Bad address") \
    ROW(EFBIG, 27, 22, "File too large") \
    ROW(EDEADLK, 35, 16, "Resource deadlock avoided") \
    ROW(ENOTCONN, 107, 53, "Transport endpoint is not connected") \
    ROW(EDESTADDRREQ, 89, 17, "Destination address required") \
    ROW(ELIBSCN, 81, 0, ".lib section in a.out corrupted") \
    ROW(ENOLCK, 37, 46, "No locks available") \
    ROW(EISNAM, 120, 0, "Is a named type file") \
    ROW(ECONNABORTED, 103, 13, "Software caused connection abort") \
    ROW(ENETUNREACH, 101, 40, "Network is unreachable") \
    ROW(ESTALE, 116, 72, "Stale file handle") \
    ROW(ENOSR, 63, 0, "Out of streams resources") \
    ROW(ENOMEM, 12, 48, "Cannot allocate memory") \
    ROW(ENOTSOCK, 88, 57, "Socket operation on non-socket") \
    ROW(ESTRPIPE, 86, 0, "Streams pipe error") \
    ROW(EMLINK, 31, 34, "Too many links") \
    ROW(ERANGE, 34, 68, "Numerical result out of range") \
    ROW(ELIBEXEC, 83, 0, "Cannot exec a shared library directly") \
    ROW(EL3HLT, 46, 0, "Level 3 halted") \
    ROW(ECONNRESET, 104, 15, "Connection reset by peer") \
    ROW(EADDRINUSE, 98, 3, "Address already in use") \
    ROW(EOPNOTSUPP, 95, 58, "Operation not supported") \
    ROW(EREMCHG, 78, 0, "Remote address changed") \
    ROW(EAGAIN, 11, 6, "Resource temporarily unavailable") \
    ROW(ENAMETOOLONG, 36, 37, "File name too long") \
    ROW(ENOTTY, 25, 59, "Inappropriate ioctl for device") \
    ROW(ERESTART, 85, 0, "Interrupted system call should be restarted") \
    ROW(ESOCKTNOSUPPORT, 94, 0, "Socket type not supported") \
    ROW(ETIME, 62, 0, "Timer expired") \
    ROW(EBFONT, 59, 0, "Bad font file format") \
    ROW(EDEADLOCK, 35, 16, "Resource deadlock avoided") \
    ROW(ETOOMANYREFS, 109, 0, "Too many references: cannot splice") \
    ROW(EMFILE, 24, 33, "Too many open files") \
    ROW(ETXTBSY, 26, 74, "Text file busy") \
    ROW(EINPROGRESS, 115, 26, "Operation now in progress") \
    ROW(ENXIO, 6, 60, "No such device or address") \
    ROW(ENOPKG, 65, 0, "Package not installed") \
    ROW(ENOMEDIUM, 123, 0, "No medium found") \
    ROW(EMEDIUMTYPE, 124, 0, "Wrong medium type") \
    ROW(ECANCELED, 125, 11, "Operation canceled") \
    ROW(ENOKEY, 126, 0, "Required key not available") \
    ROW(EKEYEXPIRED, 127, 0, "Key has expired") \
    ROW(EKEYREVOKED, 128, 0, "Key has been revoked") \
    ROW(EKEYREJECTED, 129, 0, "Key was rejected by service") \
    ROW(EOWNERDEAD, 130, 62, "Owner died") \
    ROW(ENOTRECOVERABLE, 131, 56, "State not recoverable") \
    ROW(ERFKILL, 132, 0, "Operation not possible due to RF-kill") \
    ROW(ENOTSUP, 95, 58, "Operation not supported") \
    ROW(EHWPOISON, 133, 0, "Memory page has hardware error")

enum { WASI_EINTR = 27, WASI_ENOTCAPABLE = 76, WASI_NUMBERS, EPERM_ON_LINUX = 1 };

static const unsigned char on_linux[WASI_NUMBERS] = {
#define NUMBER(name, linux, wasi, text) [wasi] = linux,
    ERRORS(NUMBER)
#undef NUMBER
    [WASI_ENOTCAPABLE] = EPERM_ON_LINUX,
};

static const struct {
    const char *name, *text;
    int number;
} errors[] = {
#define ENTRY(name, linux, wasi, text) {#name, text, linux},
    ERRORS(ENTRY)
#undef ENTRY
};

enum { ERROR_COUNT = sizeof errors / sizeof *errors };

static int to_linux(int error) {
    return error > 0 && error < WASI_NUMBERS && on_linux[error] ? on_linux[error] : error;
}

PyObject *PyErr_SetFromErrnoWithFilenameObjects(PyObject *kind, PyObject *name, PyObject *other);
PyObject *PyObject_CallFunction(PyObject *callable, const char *format, int *arguments);
PyObject *PyDict_New(void);
PyObject *PyLong_FromLong(long number);
PyObject *PyUnicode_FromString(const char *text);
int PyDict_SetItem(PyObject *dict, PyObject *key, PyObject *value);
int PyErr_CheckSignals(void);
int PyErr_ExceptionMatches(PyObject *kind);
int PyModule_AddIntConstant(PyObject *module, const char *name, long number);
int PyModule_AddObjectRef(PyObject *module, const char *name, PyObject *value);
int PyOS_snprintf(char *text, size_t size, const char *format, ...);
void PyErr_Clear(void);
void Py_DecRef(PyObject *thing);
extern PyObject *PyExc_BlockingIOError, *PyExc_InterruptedError;

// Every function of CPython that makes an exception of `errno` ends here. Its callers may go on
// to compare `errno`.
REPAIR PyObject *repaired_set_from_errno(PyObject *kind, PyObject *name, PyObject *other) {
    int error = *__errno_location();
    if (error == WASI_EINTR && PyErr_CheckSignals())
        return 0;
    *__errno_location() = to_linux(error);
    PyErr_SetFromErrnoWithFilenameObjects(kind, name, other);
    *__errno_location() = error;
    return 0;
}

// `io` makes its `BlockingIOError` of `errno` itself.
REPAIR PyObject *repaired_call_function(PyObject *callable, const char *format, int *arguments) {
    if (callable == PyExc_BlockingIOError && format && *format == 'i')
        *arguments = to_linux(*arguments);
    return PyObject_CallFunction(callable, format, arguments);
}

// Whether an exception is there that `io` answers with another attempt; drops it.
REPAIR int repaired_trap_eintr(void) {
    if (!PyErr_ExceptionMatches(PyExc_InterruptedError))
        return 0;
    PyErr_Clear();
    return 1;
}

REPAIR char *repaired_strerror(int error) {
    static char unknown[32];
    if (error == 0)
        return "Success";
    for (int i = 0; i < ERROR_COUNT; i++)
        if (errors[i].number == error)
            return (char *)errors[i].text;
    PyOS_snprintf(unknown, sizeof unknown, "Unknown error %d", error);
    return unknown;
}

// Of `socket.getaddrinfo`. The C library has the numbers of Linux, and other words.
REPAIR const char *repaired_gai_strerror(int error) {
    static const char *const texts[] = {
        "Bad value for ai_flags",
        "Name or service not known",
        "Temporary failure in name resolution",
        "Non-recoverable failure in name resolution",
        "No address associated with hostname",
        "ai_family not supported",
        "ai_socktype not supported",
        "Servname not supported for ai_socktype",
        "Address family for hostname not supported",
        "Memory allocation failure",
        "System error",
    };
    int index = -1 - error;
    return index >= 0 && index < sizeof texts / sizeof *texts ? texts[index] : "Unknown error";
}

// Fills the module `errno`.
REPAIR int repaired_errno_exec(PyObject *module) {
    PyObject *codes = PyDict_New();
    int result = codes ? PyModule_AddObjectRef(module, "errorcode", codes) : -1;
    for (int i = 0; i < ERROR_COUNT && result == 0; i++) {
        PyObject *name = PyUnicode_FromString(errors[i].name);
        PyObject *number = PyLong_FromLong(errors[i].number);
        result = name && number ? PyDict_SetItem(codes, number, name) : -1;
        if (result == 0)
            result = PyModule_AddIntConstant(module, errors[i].name, errors[i].number);
        Py_DecRef(name);
        Py_DecRef(number);
    }
    Py_DecRef(codes);
    return result;
}

// name_errors(module): fills the module, and gives the number of Linux for each number of WASI.
static PyObject *name_errors(PyObject *module, PyObject *errno_module) {
    if (repaired_errno_exec(errno_module) < 0)
        return 0;
    return PyBytes_FromStringAndSize(on_linux, sizeof on_linux);
}
