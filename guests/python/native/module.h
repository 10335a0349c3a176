// Extension modules: how does C here name what it needs of CPython, without its headers?
//
// The headers are not among what the component builder brings. What is here is the stable interface,
// with the sizes of a 32-bit machine.

typedef struct PyObject PyObject;

typedef struct {
    const char *name;
    PyObject *(*function)(PyObject *, PyObject *);
    int flags;
    const char *help;
} method_t;

typedef struct {
    long base[5];
    const char *name, *help;
    long size;
    const method_t *methods;
    void *rest[4];
} module_t;

enum { METH_VARARGS = 1, METH_KEYWORDS = 2, METH_NOARGS = 4, METH_O = 8, API_VERSION = 1013 };

PyObject *PyModule_Create2(module_t *module, int version);
PyObject *PyBytes_FromStringAndSize(const void *bytes, long length);
PyObject *PyErr_NoMemory(void);
PyObject *Py_BuildValue(const char *format, ...);
int PyArg_ParseTuple(PyObject *arguments, const char *format, ...);

// Defines a module, and the function by which the interpreter finds it.
#define MODULE(shown, own, list) \
    static module_t module = {.base = {1}, .name = shown, .size = -1, .methods = list}; \
    __attribute__((visibility("default"))) PyObject *PyInit_##own(void) { \
        return PyModule_Create2(&module, API_VERSION); \
    }
