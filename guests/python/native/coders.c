// Coders: how do `bz2`, `lzma` and `compression.zstd` reach their libraries?
//
// Through one function: a coder takes some input and gives some output, whatever its format is. What
// is specific to a format (arguments, states, errors) is Python, in `library/`, so that a program that
// uses none of it does not load it.

#include "module.h"

#define BZ_NO_STDIO
#define ZSTD_STATIC_LINKING_ONLY
#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zdict.h>
#include <zstd.h>
#include <zstd_errors.h>

typedef struct {
    void *data;
    PyObject *owner;
    long length, item;
    int read_only, dimensions;
    void *rest[5];
} buffer_t;

PyObject *PyCapsule_New(void *pointer, const char *name, void (*destructor)(PyObject *));
void *PyCapsule_GetPointer(PyObject *capsule, const char *name);
char *PyBytes_AsString(PyObject *bytes);
int _PyBytes_Resize(PyObject **bytes, long length);
void PyBuffer_Release(buffer_t *buffer);

#define NAME "coder"
enum { AHEAD, ENDED };
enum { FIRST_OUTPUT = 16384, LARGEST_OUTPUT = 0x7ff00000 };

// The status of a step is `AHEAD`, `ENDED`, or what the library says is wrong, as a negative number.
typedef struct coder {
    int (*step)(struct coder *, int action);
    int (*end)(void *);
    const unsigned char *input;
    size_t input_left;
    unsigned char *output;
    size_t output_left;
    union {
        bz_stream bzip2;
        lzma_stream lzma;
        ZSTD_CCtx *writer;
        ZSTD_DCtx *reader;
        void *any;
    };
    int is_pointer, check;
} coder_t;

static void free_coder(PyObject *capsule) {
    coder_t *coder = PyCapsule_GetPointer(capsule, NAME);
    if (coder->end)
        coder->end(coder->is_pointer ? coder->any : &coder->any);
    free(coder);
}

static coder_t *new_coder(PyObject **capsule) {
    coder_t *coder = calloc(1, sizeof(coder_t));
    if (!coder) {
        PyErr_NoMemory();
        return 0;
    }
    *capsule = PyCapsule_New(coder, NAME, free_coder);
    if (!*capsule) {
        free(coder);
        return 0;
    }
    return coder;
}

// A coder, or the number of what was wrong.
static PyObject *made(PyObject *capsule, int result) {
    return Py_BuildValue("Ni", capsule, result);
}

static int take(coder_t *coder, size_t input_left, size_t output_left) {
    coder->input += coder->input_left - input_left;
    coder->output += coder->output_left - output_left;
    coder->input_left = input_left;
    coder->output_left = output_left;
    return AHEAD;
}

// bzip2

void bz_internal_error(int code) { __builtin_trap(); }

static int step_bzip2(coder_t *coder, int (*step)(bz_stream *)) {
    bz_stream *stream = &coder->bzip2;
    stream->next_in = (char *)coder->input;
    stream->avail_in = coder->input_left;
    stream->next_out = (char *)coder->output;
    stream->avail_out = coder->output_left;
    int result = step(stream);
    take(coder, stream->avail_in, stream->avail_out);
    return result == BZ_STREAM_END ? ENDED : result < 0 ? result : AHEAD;
}

static int add_bzip2(bz_stream *stream) { return BZ2_bzCompress(stream, BZ_RUN); }
static int finish_bzip2(bz_stream *stream) { return BZ2_bzCompress(stream, BZ_FINISH); }
static int write_bzip2(coder_t *coder, int action) {
    // The library takes a step without input for a mistake.
    if (!action && !coder->input_left)
        return AHEAD;
    return step_bzip2(coder, action ? finish_bzip2 : add_bzip2);
}
static int read_bzip2(coder_t *coder, int action) { return step_bzip2(coder, BZ2_bzDecompress); }

static PyObject *bzip2(PyObject *module, PyObject *arguments) {
    int level;
    PyObject *capsule;
    if (!PyArg_ParseTuple(arguments, "i", &level))
        return 0;
    coder_t *coder = new_coder(&capsule);
    if (!coder)
        return 0;
    int result = level ? BZ2_bzCompressInit(&coder->bzip2, level, 0, 0) : BZ2_bzDecompressInit(&coder->bzip2, 0, 0);
    coder->step = level ? write_bzip2 : read_bzip2;
    if (result == BZ_OK)
        coder->end = (int (*)(void *))(level ? BZ2_bzCompressEnd : BZ2_bzDecompressEnd);
    return made(capsule, result);
}

// xz

// Keeps which check a stream has, once that is known.
static int is_told(coder_t *coder, lzma_ret result) {
    if (result != LZMA_GET_CHECK && result != LZMA_NO_CHECK)
        return 0;
    coder->check = lzma_get_check(&coder->lzma);
    return 1;
}

static int step_lzma(coder_t *coder, int action) {
    lzma_stream *stream = &coder->lzma;
    stream->next_in = coder->input;
    stream->avail_in = coder->input_left;
    stream->next_out = coder->output;
    stream->avail_out = coder->output_left;
    lzma_ret result;
    do
        result = lzma_code(stream, action ? LZMA_FINISH : LZMA_RUN);
    while (is_told(coder, result));
    take(coder, stream->avail_in, stream->avail_out);
    // Having nothing to do is not an error.
    if (result == LZMA_BUF_ERROR && (!coder->input_left || !coder->output_left))
        return AHEAD;
    return result == LZMA_STREAM_END ? ENDED : result == LZMA_OK ? AHEAD : -(int)result;
}

static int end_lzma(void *stream) {
    lzma_end(stream);
    return 0;
}

enum { AUTO, XZ, ALONE, RAW };

static lzma_ret begin_lzma(lzma_stream *stream, int writes, int format, int check, const lzma_filter *filters, unsigned preset,
                           unsigned long long limit) {
    lzma_options_lzma options;
    if (writes && format == ALONE && !filters && lzma_lzma_preset(&options, preset))
        return LZMA_OPTIONS_ERROR;
    if (writes)
        return format == XZ && !filters ? lzma_easy_encoder(stream, preset, check)
               : format == XZ           ? lzma_stream_encoder(stream, filters, check)
               : format == ALONE        ? lzma_alone_encoder(stream, filters ? filters->options : &options)
                                        : lzma_raw_encoder(stream, filters);
    return format == AUTO  ? lzma_auto_decoder(stream, limit, LZMA_TELL_ANY_CHECK | LZMA_TELL_NO_CHECK)
           : format == XZ  ? lzma_stream_decoder(stream, limit, LZMA_TELL_ANY_CHECK | LZMA_TELL_NO_CHECK)
           : format == RAW ? lzma_raw_decoder(stream, filters)
                           : lzma_alone_decoder(stream, limit);
}

// Filters as the text that the library's own tools take; the result of a mistake is its message.
static const char *filters_of(const char *text, lzma_filter *filters) {
    int place;
    return lzma_str_to_filters(text, &place, filters, LZMA_STR_ALL_FILTERS | LZMA_STR_NO_VALIDATION, 0);
}

static PyObject *lzma(PyObject *module, PyObject *arguments) {
    int writes, format, check;
    unsigned preset;
    unsigned long long limit;
    const char *text;
    PyObject *capsule;
    if (!PyArg_ParseTuple(arguments, "iiizIK", &writes, &format, &check, &text, &preset, &limit))
        return 0;
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    const char *mistake = text ? filters_of(text, filters) : 0;
    if (mistake)
        return Py_BuildValue("si", mistake, -1);
    coder_t *coder = new_coder(&capsule);
    lzma_ret result = LZMA_OK;
    if (coder) {
        coder->lzma = (lzma_stream)LZMA_STREAM_INIT;
        coder->step = step_lzma;
        coder->check = check;
        coder->end = end_lzma;
        result = begin_lzma(&coder->lzma, writes, format, check, text ? filters : 0, preset, limit);
    }
    if (text)
        lzma_filters_free(filters, 0);
    return coder ? made(capsule, result) : 0;
}

static PyObject *check_of(PyObject *module, PyObject *arguments) {
    PyObject *capsule;
    if (!PyArg_ParseTuple(arguments, "O", &capsule))
        return 0;
    coder_t *coder = PyCapsule_GetPointer(capsule, NAME);
    return coder ? Py_BuildValue("i", coder->check) : 0;
}

static PyObject *lzma_has_check(PyObject *module, PyObject *arguments) {
    int check;
    if (!PyArg_ParseTuple(arguments, "i", &check))
        return 0;
    return Py_BuildValue("i", lzma_check_is_supported(check));
}

// The properties of one filter, or the message and the number of a mistake.
static PyObject *lzma_properties(PyObject *module, PyObject *arguments) {
    const char *text;
    if (!PyArg_ParseTuple(arguments, "s", &text))
        return 0;
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    const char *mistake = filters_of(text, filters);
    if (mistake)
        return Py_BuildValue("si", mistake, -1);
    unsigned size;
    unsigned char properties[64];
    lzma_ret result = lzma_properties_size(&size, filters);
    if (result == LZMA_OK)
        result = size > sizeof(properties) ? LZMA_PROG_ERROR : lzma_properties_encode(filters, properties);
    lzma_filters_free(filters, 0);
    return Py_BuildValue("y#i", properties, result == LZMA_OK ? (long)size : 0L, result);
}

// What properties say, as the numbers of which the caller knows the names.
static PyObject *options_of(PyObject *module, PyObject *arguments) {
    unsigned long long id;
    buffer_t data;
    if (!PyArg_ParseTuple(arguments, "Ky*", &id, &data))
        return 0;
    lzma_filter filter = {.id = id};
    lzma_ret result = lzma_properties_decode(&filter, 0, data.data, data.length);
    PyBuffer_Release(&data);
    unsigned numbers[4] = {0};
    if (result == LZMA_OK && filter.options) {
        const lzma_options_lzma *options = filter.options;
        if (id == LZMA_FILTER_LZMA1 || id == LZMA_FILTER_LZMA2) {
            numbers[0] = options->dict_size;
            numbers[1] = options->lc;
            numbers[2] = options->lp;
            numbers[3] = options->pb;
        } else if (id == LZMA_FILTER_DELTA) {
            numbers[0] = ((const lzma_options_delta *)filter.options)->dist;
        } else {
            numbers[0] = ((const lzma_options_bcj *)filter.options)->start_offset;
        }
    }
    int has_options = filter.options != 0;
    free(filter.options);
    return Py_BuildValue("iiIIII", result, has_options, numbers[0], numbers[1], numbers[2], numbers[3]);
}

// zstd

static int of_zstd(size_t result) { return ZSTD_isError(result) ? -(int)ZSTD_getErrorCode(result) : AHEAD; }

static int write_zstd(coder_t *coder, int action) {
    ZSTD_outBuffer output = {coder->output, coder->output_left, 0};
    ZSTD_inBuffer input = {coder->input, coder->input_left, 0};
    size_t result = ZSTD_compressStream2(coder->writer, &output, &input, action);
    take(coder, input.size - input.pos, output.size - output.pos);
    return ZSTD_isError(result) ? of_zstd(result) : action != ZSTD_e_continue && result == 0 ? ENDED : AHEAD;
}

static int read_zstd(coder_t *coder, int action) {
    ZSTD_outBuffer output = {coder->output, coder->output_left, 0};
    ZSTD_inBuffer input = {coder->input, coder->input_left, 0};
    size_t result = ZSTD_decompressStream(coder->reader, &output, &input);
    take(coder, input.size - input.pos, output.size - output.pos);
    return ZSTD_isError(result) ? of_zstd(result) : result == 0 ? ENDED : AHEAD;
}

static PyObject *zstd(PyObject *module, PyObject *arguments) {
    int writes;
    PyObject *capsule;
    if (!PyArg_ParseTuple(arguments, "i", &writes))
        return 0;
    coder_t *coder = new_coder(&capsule);
    if (!coder)
        return 0;
    coder->is_pointer = 1;
    coder->any = writes ? (void *)ZSTD_createCCtx() : ZSTD_createDCtx();
    coder->step = writes ? write_zstd : read_zstd;
    coder->end = (int (*)(void *))(writes ? (void *)ZSTD_freeCCtx : ZSTD_freeDCtx);
    return made(capsule, coder->any ? 0 : -(int)ZSTD_error_memory_allocation);
}

// Settings of a coder: parameters (`kind` 0), a new frame (1), the size of the next one (2).
static PyObject *zstd_set(PyObject *module, PyObject *arguments) {
    PyObject *capsule;
    int kind, key;
    unsigned long long number;
    if (!PyArg_ParseTuple(arguments, "OiiK", &capsule, &kind, &key, &number))
        return 0;
    coder_t *coder = PyCapsule_GetPointer(capsule, NAME);
    if (!coder)
        return 0;
    size_t result;
    if (coder->step == read_zstd)
        result = kind == 0 ? ZSTD_DCtx_setParameter(coder->reader, key, (int)number)
                           : ZSTD_DCtx_reset(coder->reader, ZSTD_reset_session_only);
    else
        result = kind == 0   ? ZSTD_CCtx_setParameter(coder->writer, key, (int)number)
                 : kind == 1 ? ZSTD_CCtx_reset(coder->writer, ZSTD_reset_session_only)
                             : ZSTD_CCtx_setPledgedSrcSize(coder->writer, number);
    return Py_BuildValue("i", of_zstd(result));
}

// A dictionary; as a prefix it is referred to, so the caller keeps it.
static PyObject *zstd_dictionary(PyObject *module, PyObject *arguments) {
    PyObject *capsule;
    buffer_t data;
    int is_raw, is_prefix;
    if (!PyArg_ParseTuple(arguments, "Oy*ii", &capsule, &data, &is_raw, &is_prefix))
        return 0;
    coder_t *coder = PyCapsule_GetPointer(capsule, NAME);
    ZSTD_dictContentType_e type = is_raw ? ZSTD_dct_rawContent : ZSTD_dct_fullDict;
    size_t result = 0;
    // Only this says at once what is wrong with it.
    ZSTD_DDict *digested = is_raw || is_prefix ? 0 : ZSTD_createDDict(data.data, data.length);
    if (!digested && !is_raw && !is_prefix)
        result = (size_t)-ZSTD_error_dictionary_corrupted;
    ZSTD_freeDDict(digested);
    if (ZSTD_isError(result)) {
    } else if (coder && coder->step == read_zstd)
        result = is_prefix ? ZSTD_DCtx_refPrefix(coder->reader, data.data, data.length)
                           : ZSTD_DCtx_loadDictionary_advanced(coder->reader, data.data, data.length, ZSTD_dlm_byCopy, type);
    else if (coder)
        result = is_prefix ? ZSTD_CCtx_refPrefix(coder->writer, data.data, data.length)
                           : ZSTD_CCtx_loadDictionary_advanced(coder->writer, data.data, data.length, ZSTD_dlm_byCopy, type);
    PyBuffer_Release(&data);
    return coder ? Py_BuildValue("i", of_zstd(result)) : 0;
}

// The range of a parameter, with the number of an error.
static PyObject *zstd_bounds(PyObject *module, PyObject *arguments) {
    int writes, key;
    if (!PyArg_ParseTuple(arguments, "ii", &writes, &key))
        return 0;
    ZSTD_bounds bounds = writes ? ZSTD_cParam_getBounds(key) : ZSTD_dParam_getBounds(key);
    return Py_BuildValue("iii", of_zstd(bounds.error), bounds.lowerBound, bounds.upperBound);
}

static PyObject *zstd_message(PyObject *module, PyObject *arguments) {
    int number;
    if (!PyArg_ParseTuple(arguments, "i", &number))
        return 0;
    return Py_BuildValue("s", ZSTD_getErrorString(-number));
}

// The compressed size of the frame at the beginning, the size of its content, its dictionary.
static PyObject *zstd_frame(PyObject *module, PyObject *arguments) {
    buffer_t data;
    if (!PyArg_ParseTuple(arguments, "y*", &data))
        return 0;
    size_t size = ZSTD_findFrameCompressedSize(data.data, data.length);
    unsigned long long content = ZSTD_getFrameContentSize(data.data, data.length);
    unsigned dictionary = ZSTD_getDictID_fromFrame(data.data, data.length);
    PyBuffer_Release(&data);
    int is_known = content != ZSTD_CONTENTSIZE_UNKNOWN, is_frame = content != ZSTD_CONTENTSIZE_ERROR;
    return Py_BuildValue("ikiiKI", of_zstd(size), size, is_frame, is_known, content, dictionary);
}

static PyObject *zstd_dictionary_id(PyObject *module, PyObject *arguments) {
    buffer_t data;
    if (!PyArg_ParseTuple(arguments, "y*", &data))
        return 0;
    unsigned id = ZSTD_getDictID_fromDict(data.data, data.length);
    PyBuffer_Release(&data);
    return Py_BuildValue("I", id);
}

// A dictionary from samples, whose sizes come as an array; `base` is its content if there is one.
static PyObject *zstd_train(PyObject *module, PyObject *arguments) {
    buffer_t samples, sizes, base;
    long length;
    int has_base, level;
    if (!PyArg_ParseTuple(arguments, "y*y*y*iil", &samples, &sizes, &base, &has_base, &level, &length))
        return 0;
    PyObject *result = PyBytes_FromStringAndSize(0, length);
    size_t made = 0;
    if (result) {
        unsigned count = sizes.length / sizeof(size_t);
        ZDICT_params_t parameters = {.compressionLevel = level};
        made = has_base ? ZDICT_finalizeDictionary(PyBytes_AsString(result), length, base.data, base.length, samples.data,
                                                   sizes.data, count, parameters)
                        : ZDICT_trainFromBuffer(PyBytes_AsString(result), length, samples.data, sizes.data, count);
    }
    PyBuffer_Release(&samples);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&base);
    if (!result || _PyBytes_Resize(&result, ZDICT_isError(made) ? 0 : (long)made) < 0)
        return 0;
    return Py_BuildValue("Ni", result, ZDICT_isError(made) ? -(int)ZSTD_getErrorCode(made) : 0);
}

// Every coder

// Makes room for more output, up to the limit; says whether there is any.
static int grow(coder_t *coder, PyObject **output, long *length, long limit) {
    long wanted = *length ? *length * 2 : FIRST_OUTPUT;
    if (*length > LARGEST_OUTPUT / 2)
        wanted = LARGEST_OUTPUT;
    if (limit >= 0 && wanted > limit)
        wanted = limit;
    if (wanted <= *length)
        return 0;
    if (!*output)
        *output = PyBytes_FromStringAndSize(0, wanted);
    else
        _PyBytes_Resize(output, wanted);
    if (!*output)
        return 0;
    coder->output = (unsigned char *)PyBytes_AsString(*output) + *length;
    coder->output_left = wanted - *length;
    *length = wanted;
    return 1;
}

// Gives the output, the input that was used, the status, and whether the output is as long as it may be.
static PyObject *run(PyObject *module, PyObject *arguments) {
    PyObject *capsule, *output = 0;
    buffer_t data;
    long limit, length = 0;
    int action;
    if (!PyArg_ParseTuple(arguments, "Oy*li", &capsule, &data, &limit, &action))
        return 0;
    coder_t *coder = PyCapsule_GetPointer(capsule, NAME);
    int status = AHEAD;
    if (coder) {
        coder->input = data.data;
        coder->input_left = data.length;
        coder->output_left = 0;
    }
    int steps = 0;
    while (coder && status == AHEAD) {
        // Without room for output, what has none (the end of a stream) is read all the same.
        if (!coder->output_left && !grow(coder, &output, &length, limit) && (limit || steps))
            break;
        steps++;
        size_t input_left = coder->input_left, output_left = coder->output_left;
        status = coder->step(coder, action);
        int is_idle = input_left == coder->input_left && output_left == coder->output_left;
        if (status == AHEAD && coder->output_left && (is_idle || !action && !coder->input_left))
            break;
    }
    long used = coder ? data.length - (long)coder->input_left : 0;
    PyBuffer_Release(&data);
    if (coder && !output && limit == 0)
        output = PyBytes_FromStringAndSize(0, 0);
    if (!coder || !output)
        return 0;
    int is_full = !coder->output_left;
    if (_PyBytes_Resize(&output, length - (long)coder->output_left) < 0)
        return 0;
    return Py_BuildValue("Nlii", output, used, status, is_full);
}

static const method_t methods[] = {
    {"run", run, METH_VARARGS},
    {"bzip2", bzip2, METH_VARARGS},
    {"lzma", lzma, METH_VARARGS},
    {"lzma_check", check_of, METH_VARARGS},
    {"lzma_has_check", lzma_has_check, METH_VARARGS},
    {"lzma_options", options_of, METH_VARARGS},
    {"lzma_properties", lzma_properties, METH_VARARGS},
    {"zstd", zstd, METH_VARARGS},
    {"zstd_bounds", zstd_bounds, METH_VARARGS},
    {"zstd_dictionary", zstd_dictionary, METH_VARARGS},
    {"zstd_dictionary_id", zstd_dictionary_id, METH_VARARGS},
    {"zstd_frame", zstd_frame, METH_VARARGS},
    {"zstd_message", zstd_message, METH_VARARGS},
    {"zstd_set", zstd_set, METH_VARARGS},
    {"zstd_train", zstd_train, METH_VARARGS},
    {0},
};

MODULE("_coders", _coders, methods)
