//! Text conversion: how does text get from the engine to the host and back?
//!
//! A JavaScript string may hold lone surrogates, which UTF-8 has no form for. The host takes only valid UTF-8, so each becomes U+FFFD.

typedef struct {
    const char *bytes; // null after an exception
    size_t length;
    char *copy; // set where the engine's own bytes had to be changed
} text_t;

static bool is_lone_surrogate(const uint8_t *bytes, const uint8_t *end) {
    return end - bytes >= 3 && bytes[0] == 0xED && bytes[1] >= 0xA0;
}

static text_t text_from(JSContext *ctx, JSValueConst value) {
    text_t text = {0};
    text.bytes = JS_ToCStringLen(ctx, &text.length, value);
    if (!text.bytes)
        return text;
    const uint8_t *end = (const uint8_t *)text.bytes + text.length;
    const uint8_t *at = memchr(text.bytes, 0xED, text.length);
    while (at && !is_lone_surrogate(at, end))
        at = memchr(at + 1, 0xED, end - at - 1);
    if (!at)
        return text;
    text.copy = js_malloc(ctx, text.length);
    if (!text.copy) {
        JS_FreeCString(ctx, text.bytes);
        return (text_t){0};
    }
    memcpy(text.copy, text.bytes, text.length);
    uint8_t *to = (uint8_t *)text.copy, *to_end = to + text.length;
    for (; to < to_end; to++) {
        if (is_lone_surrogate(to, to_end))
            memcpy(to, "\xEF\xBF\xBD", 3);
    }
    JS_FreeCString(ctx, text.bytes);
    text.bytes = text.copy;
    return text;
}

static void free_text(JSContext *ctx, text_t text) {
    if (text.copy)
        js_free(ctx, text.copy);
    else
        JS_FreeCString(ctx, text.bytes);
}

// Text that outlives the evaluation's values: the host reads it after `evaluate` has returned.
static wasi_list_t text_for_host(JSContext *ctx, JSValueConst value) {
    wasi_list_t list = {0};
    text_t text = text_from(ctx, value);
    if (!text.bytes) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return list;
    }
    if (text.length && (list.bytes = malloc(text.length))) {
        memcpy(list.bytes, text.bytes, text.length);
        list.length = text.length;
    }
    free_text(ctx, text);
    return list;
}

static wasi_list_t constant_for_host(const char *constant) {
    size_t length = strlen(constant);
    uint8_t *bytes = malloc(length);
    if (!bytes)
        return (wasi_list_t){0};
    memcpy(bytes, constant, length);
    return (wasi_list_t){bytes, length};
}

static JSValue string_from_host(JSContext *ctx, wasi_list_t list) {
    JSValue value = JS_NewStringLen(ctx, (const char *)list.bytes, list.length);
    free_list(list);
    return value;
}

// Gives the bytes to the engine without copying them.
static void free_buffer(JSRuntime *rt, void *opaque, void *bytes) {
    free(bytes);
}

static JSValue buffer_from_host(JSContext *ctx, wasi_list_t list) {
    if (!list.length)
        return JS_NewUint8ArrayCopy(ctx, NULL, 0);
    return JS_NewUint8Array(ctx, list.bytes, list.length, NULL, NULL, false);
}
