//! Stack traces: what does `error.stack` show?
//!
//! The engine keeps frames alone. Programs expect the line with class and message first, no frames of the prelude, and a frame without
//! function name in the form that Node gives it. All of it happens when `stack` is read, so that throwing stays cheap.

// Frames of the prelude have this in front of their file's name.
#define INTERNAL_FILE "node:internal/"

static const char *find_in_line(const char *line, const char *end, const char *text) {
    return memmem(line, end - line, text, strlen(text));
}

static bool line_starts(const char *line, const char *end, const char *text) {
    size_t length = strlen(text);
    return (size_t)(end - line) >= length && !memcmp(line, text, length);
}

// Appends `    at file:1:2` for `    at <anonymous> (file:1:2)`.
static void put_bare_frame(DynBuf *out, const char *line, const char *end) {
    const char *open = memchr(line, '(', end - line);
    if (!open || end[-1] != ')') {
        dbuf_put(out, (const uint8_t *)line, end - line);
        return;
    }
    dbuf_putstr(out, "    at ");
    dbuf_put(out, (const uint8_t *)open + 1, end - open - 2);
}

static void put_frames(DynBuf *out, const char *frames, size_t length) {
    const char *end = frames + length;
    for (const char *line = frames; line < end;) {
        const char *line_end = memchr(line, '\n', end - line);
        if (!line_end)
            line_end = end;
        bool is_internal = find_in_line(line, line_end, "(" INTERNAL_FILE) || line_starts(line, line_end, "    at " INTERNAL_FILE);
        if (!is_internal && line < line_end) {
            dbuf_putc(out, '\n');
            if (line_starts(line, line_end, "    at <anonymous> (") || line_starts(line, line_end, "    at <eval> ("))
                put_bare_frame(out, line, line_end);
            else
                dbuf_put(out, (const uint8_t *)line, line_end - line);
        }
        line = line_end + 1;
    }
}

static JSValue shaped_stack(JSContext *ctx, JSValueConst error, JSValueConst frames) {
    JSValue heading = js_error_toString(ctx, error, 0, NULL);
    if (JS_IsException(heading)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        heading = JS_NewString(ctx, "Error");
    }
    size_t heading_length, frames_length;
    const char *heading_text = JS_ToCStringLen(ctx, &heading_length, heading);
    const char *frames_text = JS_ToCStringLen(ctx, &frames_length, frames);
    JS_FreeValue(ctx, heading);
    JSValue stack = JS_EXCEPTION;
    if (heading_text && frames_text) {
        DynBuf out;
        js_dbuf_init(ctx, &out);
        dbuf_put(&out, (const uint8_t *)heading_text, heading_length);
        put_frames(&out, frames_text, frames_length);
        stack = dbuf_error(&out) ? JS_ThrowOutOfMemory(ctx) : JS_NewStringLen(ctx, (const char *)out.buf, out.size);
        dbuf_free(&out);
    }
    JS_FreeCString(ctx, heading_text);
    JS_FreeCString(ctx, frames_text);
    return stack;
}

static bool are_plain_frames(JSContext *ctx, JSValueConst frames) {
    if (!JS_IsString(frames))
        return false;
    const char *text = JS_ToCString(ctx, frames);
    bool are_plain = text && (text[0] == 0 || !strncmp(text, "    at ", 7));
    JS_FreeCString(ctx, text);
    return are_plain;
}

static JSValue get_stack(JSContext *ctx, JSValueConst error) {
    JSValue frames = js_error_get_stack(ctx, error);
    if (JS_IsException(frames) || !JS_IsError(error))
        return frames;
    if (JS_IsNull(frames) || JS_IsUndefined(frames)) {
        JS_FreeValue(ctx, frames);
        frames = JS_NewString(ctx, "");
    }
    if (!are_plain_frames(ctx, frames))
        return frames;
    JSValue stack = shaped_stack(ctx, error, frames);
    JS_FreeValue(ctx, frames);
    return stack;
}

// As in Node: any value, and the property does not show when the error is listed.
static JSValue set_stack(JSContext *ctx, JSValueConst error, JSValueConst value) {
    if (!JS_IsObject(error))
        return JS_ThrowTypeErrorNotAnObject(ctx);
    int flags = JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE | JS_PROP_THROW;
    return JS_DefinePropertyValue(ctx, error, JS_ATOM_stack, JS_DupValue(ctx, value), flags) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static const JSCFunctionListEntry stack_property[] = {
    JS_CGETSET_DEF("stack", get_stack, set_stack),
};

// Error.captureStackTrace(object, function): the engine leaves bare frames in the object's own property.
static JSValue capture_stack_trace(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JSValue result = js_error_capture_stack_trace(ctx, self, argc, argv);
    if (JS_IsException(result))
        return result;
    JSValue frames = JS_GetProperty(ctx, argv[0], JS_ATOM_stack);
    if (JS_IsUndefined(frames))
        return JS_ThrowTypeError(ctx, "Cannot define property stack, object is not extensible");
    if (JS_IsException(frames) || !are_plain_frames(ctx, frames)) {
        JS_FreeValue(ctx, frames);
        return JS_IsException(frames) ? frames : JS_UNDEFINED;
    }
    JSValue stack = shaped_stack(ctx, argv[0], frames);
    JS_FreeValue(ctx, frames);
    if (JS_IsException(stack))
        return stack;
    int flags = JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE | JS_PROP_THROW;
    return JS_DefinePropertyValue(ctx, argv[0], JS_ATOM_stack, stack, flags) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static void install_stack_property(JSContext *ctx) {
    JS_SetPropertyFunctionList(ctx, ctx->class_proto[JS_CLASS_ERROR], stack_property, countof(stack_property));
    JSValue capture = JS_NewCFunction(ctx, capture_stack_trace, "captureStackTrace", 2);
    JS_DefinePropertyValueStr(ctx, ctx->error_ctor, "captureStackTrace", capture, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
}
