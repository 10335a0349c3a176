//! Path resolution: below which preopened directory is a path of the program?
//!
//! WASI has no working directory and no root: each open directory has a name, and a path is asked for below one of them. The program sees
//! one tree with `/work` as its working directory.

// A path below one open directory, or why there is none. `path` points into `buffer`.
typedef struct {
    handle_t base;
    const char *path;
    uint32_t length;
    char *buffer;
} place_t;

#define WORKING_DIRECTORY "/work"
#define LONGEST_PATH 4096

// The values of `error-code`, in their order, that we make ourselves.
enum { CODE_NO_ENTRY = 20, CODE_NAME_TOO_LONG = 18, CODE_OUT_OF_MEMORY = 22, CODE_INVALID = 12 };

// Writes an absolute path without `.`, `..` and repeated slashes. False if it is too long or holds a null byte.
static bool absolute_path(const char *path, size_t length, char out[LONGEST_PATH], size_t *out_length) {
    size_t size = 0;
    if (length >= LONGEST_PATH || memchr(path, 0, length))
        return false;
    if (length == 0 || path[0] != '/') {
        size = strlen(WORKING_DIRECTORY);
        memcpy(out, WORKING_DIRECTORY, size);
    }
    for (size_t at = 0; at < length;) {
        while (at < length && path[at] == '/')
            at++;
        size_t start = at;
        while (at < length && path[at] != '/')
            at++;
        size_t part = at - start;
        if (part == 0 || (part == 1 && path[start] == '.'))
            continue;
        if (part == 2 && path[start] == '.' && path[start + 1] == '.') {
            while (size > 0 && out[--size] != '/')
                continue;
            continue;
        }
        if (size + 1 + part >= LONGEST_PATH)
            return false;
        out[size++] = '/';
        memcpy(out + size, path + start, part);
        size += part;
    }
    if (size == 0)
        out[size++] = '/';
    out[size] = 0;
    *out_length = size;
    return true;
}

// Negative `error-code` less one, or zero. On success the caller frees `place->buffer`.
static int find_place(const char *path, size_t length, place_t *place) {
    char *buffer = malloc(LONGEST_PATH);
    if (!buffer)
        return -1 - CODE_OUT_OF_MEMORY;
    size_t size;
    if (!absolute_path(path, length, buffer, &size)) {
        free(buffer);
        return -1 - CODE_NAME_TOO_LONG;
    }
    const preopen_t *best = NULL;
    size_t best_length = 0;
    for (uint32_t i = 0; i < preopens.length; i++) {
        const preopen_t *preopen = &preopens.items[i];
        size_t name = preopen->name.length;
        while (name && preopen->name.bytes[name - 1] == '/')
            name--;
        if (name > size || memcmp(preopen->name.bytes, buffer, name) != 0)
            continue;
        if (name < size && name > 0 && buffer[name] != '/')
            continue;
        if (best && name < best_length)
            continue;
        best = preopen;
        best_length = name;
    }
    if (!best) {
        free(buffer);
        return -1 - CODE_NO_ENTRY;
    }
    const char *rest = buffer + best_length;
    while (*rest == '/')
        rest++;
    *place = (place_t){best->descriptor, rest, (uint32_t)(buffer + size - rest), buffer};
    if (place->length == 0) {
        place->path = ".";
        place->length = 1;
    }
    return 0;
}

// The whole file, with a null byte after it. Zero, or a negative `error-code` less one; the caller frees `bytes`.
static int read_whole_file(const char *path, size_t length, uint8_t **bytes, size_t *size) {
    place_t place;
    int failure = find_place(path, length, &place);
    if (failure)
        return failure;
    file_handle_t opened;
    wasi_open_at(place.base, FOLLOW_LINKS, place.path, place.length, 0, FLAG_READ, &opened);
    free(place.buffer);
    if (opened.is_error)
        return -1 - opened.code;
    uint8_t *whole = malloc(1);
    size_t filled = 0;
    file_read_t part;
    do {
        wasi_file_read(opened.handle, 1 << 20, filled, &part);
        if (part.is_error) {
            failure = -1 - part.code;
            break;
        }
        uint8_t *larger = realloc(whole, filled + part.chunk.length + 1);
        if (!larger) {
            failure = -1 - CODE_OUT_OF_MEMORY;
            free_list(part.chunk);
            break;
        }
        whole = larger;
        memcpy(whole + filled, part.chunk.bytes, part.chunk.length);
        filled += part.chunk.length;
        free_list(part.chunk);
    } while (part.chunk.length && !part.at_end);
    wasi_drop_descriptor(opened.handle);
    if (failure) {
        free(whole);
        return failure;
    }
    whole[filled] = 0;
    *bytes = whole;
    *size = filled;
    return 0;
}
