//! File functions: how does the prelude call `wasi:filesystem`?
//!
//! Each function gives its value, or a negative number: an `error-code` of `wasi:filesystem`, negated and less one.

static JSValue code_value(JSContext *ctx, int failure) {
    return JS_NewInt32(ctx, failure);
}

static JSValue done_value(JSContext *ctx, file_done_t done) {
    return code_value(ctx, done.is_error ? -1 - done.code : 0);
}

// Resolves the path in `value`. Zero, a negative code, or 1 after an exception.
static int place_from(JSContext *ctx, JSValueConst value, place_t *place) {
    text_t text = text_from(ctx, value);
    if (!text.bytes)
        return 1;
    int failure = find_place(text.bytes, text.length, place);
    free_text(ctx, text);
    return failure;
}

#define PLACE_OR_RETURN(place, value)                                        \
    place_t place;                                                           \
    do {                                                                     \
        int failure_ = place_from(ctx, value, &place);                       \
        if (failure_)                                                        \
            return failure_ > 0 ? JS_EXCEPTION : code_value(ctx, failure_);  \
    } while (0)

// open(path, open flags, descriptor flags): a handle.
static JSValue native_open(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    int32_t open_flags, flags;
    if (JS_ToInt32(ctx, &open_flags, argv[1]) || JS_ToInt32(ctx, &flags, argv[2]))
        return JS_EXCEPTION;
    PLACE_OR_RETURN(place, argv[0]);
    file_handle_t opened;
    wasi_open_at(place.base, open_flags & OPEN_EXCLUSIVE ? 0 : FOLLOW_LINKS, place.path, place.length, open_flags, flags, &opened);
    free(place.buffer);
    return opened.is_error ? code_value(ctx, -1 - opened.code) : JS_NewInt32(ctx, opened.handle);
}

static JSValue native_close(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    int32_t handle;
    if (JS_ToInt32(ctx, &handle, argv[0]))
        return JS_EXCEPTION;
    wasi_drop_descriptor(handle);
    return JS_UNDEFINED;
}

// read(handle, length, offset): a Uint8Array, empty at the end of the file.
static JSValue native_read(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    int32_t handle;
    int64_t length, offset;
    if (JS_ToInt32(ctx, &handle, argv[0]) || JS_ToInt64(ctx, &length, argv[1]) || JS_ToInt64(ctx, &offset, argv[2]))
        return JS_EXCEPTION;
    file_read_t part;
    wasi_file_read(handle, length < 1 << 20 ? length : 1 << 20, offset, &part);
    if (part.is_error)
        return code_value(ctx, -1 - part.code);
    return buffer_from_host(ctx, part.chunk);
}

// write(handle, bytes, offset): how many bytes were taken.
static JSValue native_write_file(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    int32_t handle;
    int64_t offset;
    size_t length;
    if (JS_ToInt32(ctx, &handle, argv[0]) || JS_ToInt64(ctx, &offset, argv[2]))
        return JS_EXCEPTION;
    const uint8_t *bytes = JS_GetUint8Array(ctx, &length, argv[1]);
    if (!bytes && length)
        return JS_EXCEPTION;
    file_size_t result;
    wasi_file_write(handle, bytes ? bytes : (const uint8_t *)"", length, offset, &result);
    return result.is_error ? code_value(ctx, -1 - result.code) : JS_NewInt64(ctx, result.size);
}

static JSValue native_set_size(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    int32_t handle;
    int64_t size;
    if (JS_ToInt32(ctx, &handle, argv[0]) || JS_ToInt64(ctx, &size, argv[1]))
        return JS_EXCEPTION;
    file_done_t done;
    wasi_file_set_size(handle, size, &done);
    return done_value(ctx, done);
}

static double milliseconds(optional_time_t time) {
    return time.is_some ? time.time.seconds * 1e3 + time.time.nanoseconds / 1e6 : 0;
}

// [type, links, size, accessed, modified, changed], times in milliseconds since 1970.
static JSValue stat_value(JSContext *ctx, const file_stat_t *stat) {
    if (stat->is_error)
        return code_value(ctx, -1 - stat->code);
    const double fields[] = {stat->type,   stat->links, stat->size, milliseconds(stat->accessed), milliseconds(stat->modified),
                             milliseconds(stat->changed)};
    JSValue array = JS_NewArray(ctx);
    for (uint32_t i = 0; i < countof(fields); i++)
        JS_SetPropertyUint32(ctx, array, i, JS_NewNumber(ctx, fields[i]));
    return array;
}

// stat(path, follow)
static JSValue native_stat(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    PLACE_OR_RETURN(place, argv[0]);
    file_stat_t stat;
    wasi_stat_at(place.base, JS_ToBool(ctx, argv[1]) ? FOLLOW_LINKS : 0, place.path, place.length, &stat);
    free(place.buffer);
    return stat_value(ctx, &stat);
}

static JSValue native_stat_handle(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    int32_t handle;
    if (JS_ToInt32(ctx, &handle, argv[0]))
        return JS_EXCEPTION;
    file_stat_t stat;
    wasi_file_stat(handle, &stat);
    return stat_value(ctx, &stat);
}

enum { MAKE_DIRECTORY, REMOVE_DIRECTORY, REMOVE_FILE };

// makeDirectory(path), removeDirectory(path), removeFile(path)
static JSValue native_change_entry(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int magic) {
    PLACE_OR_RETURN(place, argv[0]);
    file_done_t done = {0};
    switch (magic) {
    case MAKE_DIRECTORY:
        wasi_create_directory_at(place.base, place.path, place.length, &done);
        break;
    case REMOVE_DIRECTORY:
        wasi_remove_directory_at(place.base, place.path, place.length, &done);
        break;
    default:
        wasi_unlink_file_at(place.base, place.path, place.length, &done);
    }
    free(place.buffer);
    return done_value(ctx, done);
}

static JSValue native_rename(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    PLACE_OR_RETURN(from, argv[0]);
    place_t to;
    int failure = place_from(ctx, argv[1], &to);
    if (failure) {
        free(from.buffer);
        return failure > 0 ? JS_EXCEPTION : code_value(ctx, failure);
    }
    file_done_t done;
    wasi_rename_at(from.base, from.path, from.length, to.base, to.path, to.length, &done);
    free(from.buffer);
    free(to.buffer);
    return done_value(ctx, done);
}

// makeLink(target, path)
static JSValue native_make_link(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    PLACE_OR_RETURN(place, argv[1]);
    text_t target = text_from(ctx, argv[0]);
    if (!target.bytes) {
        free(place.buffer);
        return JS_EXCEPTION;
    }
    file_done_t done;
    wasi_symlink_at(place.base, target.bytes, target.length, place.path, place.length, &done);
    free_text(ctx, target);
    free(place.buffer);
    return done_value(ctx, done);
}

static JSValue native_read_link(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    PLACE_OR_RETURN(place, argv[0]);
    file_text_t result;
    wasi_readlink_at(place.base, place.path, place.length, &result);
    free(place.buffer);
    return result.is_error ? code_value(ctx, -1 - result.code) : string_from_host(ctx, result.text);
}

// list(path): [name, type, name, type, ...] in the host's order.
static JSValue native_list(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    PLACE_OR_RETURN(place, argv[0]);
    file_handle_t opened, entries;
    wasi_open_at(place.base, FOLLOW_LINKS, place.path, place.length, OPEN_DIRECTORY, FLAG_READ, &opened);
    free(place.buffer);
    if (opened.is_error)
        return code_value(ctx, -1 - opened.code);
    wasi_read_directory(opened.handle, &entries);
    if (entries.is_error) {
        wasi_drop_descriptor(opened.handle);
        return code_value(ctx, -1 - entries.code);
    }
    JSValue array = JS_NewArray(ctx);
    uint32_t count = 0;
    for (;;) {
        file_entry_t entry;
        wasi_next_entry(entries.handle, &entry);
        if (entry.is_error) {
            JS_FreeValue(ctx, array);
            array = code_value(ctx, -1 - entry.code);
            break;
        }
        if (!entry.is_some)
            break;
        JS_SetPropertyUint32(ctx, array, count++, string_from_host(ctx, entry.name));
        JS_SetPropertyUint32(ctx, array, count++, JS_NewInt32(ctx, entry.type));
    }
    wasi_drop_entries(entries.handle);
    wasi_drop_descriptor(opened.handle);
    return array;
}

// readFile(path): the whole file as a Uint8Array.
static JSValue native_read_file(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    text_t path = text_from(ctx, argv[0]);
    if (!path.bytes)
        return JS_EXCEPTION;
    wasi_list_t file = {0};
    size_t size = 0;
    int failure = read_whole_file(path.bytes, path.length, &file.bytes, &size);
    free_text(ctx, path);
    if (failure)
        return code_value(ctx, failure);
    if (size == 0)
        free(file.bytes);
    file.length = size;
    return buffer_from_host(ctx, file);
}
