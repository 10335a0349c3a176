// Interrupts: which words of memory make the interpreter handle `SIGINT`?
//
// Those that CPython's own function for that changes: that the signal came, that some signal came,
// and a flag at which the interpreter looks at calls and loops. The host sets them while the instance
// is suspended. They are found by comparing, because their places are CPython's own affair.

#include "module.h"

typedef unsigned long word_t;

enum { PLACES = 3 };

void PyErr_SetString(PyObject *kind, const char *text);
extern PyObject *PyExc_RuntimeError;
void PyErr_SetInterrupt(void);
word_t PyLong_AsUnsignedLong(PyObject *number);
void *malloc(word_t size);
void free(void *old);

// The state of the interpreter. It begins with what debuggers need, its size among it.
extern struct {
    char cookie[8];
    unsigned long long version, free_threaded, size;
} _PyRuntime;

static volatile word_t enabled;
static struct {
    volatile word_t *word;
    word_t bits;
} places[PLACES];

// find(): finds the words.
static PyObject *find(PyObject *module, PyObject *none) {
    volatile word_t *state = (volatile word_t *)&_PyRuntime;
    int count = _PyRuntime.size / sizeof *state, found = 0;
    word_t *before = malloc(count * sizeof *state);
    if (!before)
        return PyErr_NoMemory();
    for (int i = 0; i < count; i++)
        before[i] = state[i];
    PyErr_SetInterrupt();
    for (int i = 0; i < count; i++) {
        if (state[i] == before[i])
            continue;
        if (found < PLACES) {
            places[found].word = &state[i];
            places[found].bits = state[i] & ~before[i];
        }
        state[i] = before[i];
        found++;
    }
    free(before);
    if (found != PLACES) {
        PyErr_SetString(PyExc_RuntimeError, "the state of the interpreter is not as expected");
        return 0;
    }
    return Py_BuildValue("");
}

// places(): the address of `enabled`, and of each word with its bits.
static PyObject *list_places(PyObject *module, PyObject *none) {
    return Py_BuildValue("(k((kk)(kk)(kk)))", &enabled, places[0].word, places[0].bits, places[1].word, places[1].bits, places[2].word,
                         places[2].bits);
}

static PyObject *enable(PyObject *module, PyObject *none) {
    enabled = 1;
    return Py_BuildValue("");
}

// Takes back an interrupt that was not handled yet, so that none comes after this.
static PyObject *disable(PyObject *module, PyObject *none) {
    if (enabled) {
        enabled = 0;
        for (int i = 0; i < PLACES; i++)
            *places[i].word &= ~places[i].bits;
    }
    return Py_BuildValue("");
}

// pause(): allows none for a moment, in which one would break more than the program. Gives what `resume` takes.
static PyObject *pause(PyObject *module, PyObject *none) {
    word_t before = enabled;
    enabled = 0;
    return Py_BuildValue("k", before);
}

static PyObject *resume(PyObject *module, PyObject *before) {
    enabled = PyLong_AsUnsignedLong(before);
    return Py_BuildValue("");
}

static const method_t methods[] = {
    {"find", find, METH_NOARGS, 0},
    {"places", list_places, METH_NOARGS, 0},
    {"enable", enable, METH_NOARGS, 0},
    {"disable", disable, METH_NOARGS, 0},
    {"pause", pause, METH_NOARGS, 0},
    {"resume", resume, METH_O, 0},
    {0},
};

MODULE("_interrupts", _interrupts, methods)
