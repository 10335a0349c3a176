//! Locale data: how is it kept, so that it costs a program nothing that does not ask for it?
//!
//! As packed text in the code's own data, which is never written. A piece is copies of earlier bytes and new ones; the earlier bytes may be
//! those of another locale's piece, so that a region costs only what differs from its language.

static const uint8_t locale_data[] = {
#embed "locale_data.bin"
};

// No locale has more ancestors that its text is made from.
#define LOCALE_DEPTH 6

static uint32_t take_varint(const uint8_t **cursor) {
    uint32_t value = 0;
    for (int shift = 0; shift < 32; shift += 7) {
        uint8_t byte = *(*cursor)++;
        value |= (uint32_t)(byte & 127) << shift;
        if (byte < 128)
            break;
    }
    return value;
}

// Writes a piece behind the text that it was packed after; both are in one buffer.
static void unpack_piece(const locale_piece_t *piece, uint8_t *buffer, size_t before) {
    const uint8_t *cursor = locale_data + piece->at, *end = cursor + piece->length;
    size_t at = before, limit = before + piece->whole;
    while (cursor < end && at < limit) {
        uint32_t literal = take_varint(&cursor);
        if (literal > limit - at || literal > (size_t)(end - cursor))
            return;
        memcpy(buffer + at, cursor, literal);
        cursor += literal;
        at += literal;
        if (cursor >= end)
            return;
        uint32_t count = take_varint(&cursor), distance = take_varint(&cursor);
        if (distance == 0 || distance > at || count > limit - at)
            return;
        for (uint32_t i = 0; i < count; i++, at++)
            buffer[at] = buffer[at - distance];
    }
}

// The text of a piece, ended by a zero; NULL if memory is exhausted.
static char *text_of_piece(JSContext *ctx, int32_t index, int depth) {
    const locale_piece_t *piece = &locale_pieces[index];
    size_t before = 0;
    char *parent = NULL;
    if (piece->parent >= 0 && depth < LOCALE_DEPTH) {
        parent = text_of_piece(ctx, piece->parent, depth + 1);
        if (!parent)
            return NULL;
        before = locale_pieces[piece->parent].whole;
    }
    char *buffer = js_malloc(ctx, before + piece->whole + 1);
    if (buffer) {
        if (parent)
            memcpy(buffer, parent, before);
        unpack_piece(piece, (uint8_t *)buffer, before);
        memmove(buffer, buffer + before, piece->whole);
        buffer[piece->whole] = '\0';
    }
    js_free(ctx, parent);
    return buffer;
}

// localeData(name): the data as a value; undefined if there is none.
static JSValue native_locale_data(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    const char *name = JS_ToCString(ctx, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    JSValue value = JS_UNDEFINED;
    for (size_t i = 0; i < countof(locale_pieces); i++) {
        if (strcmp(name, locale_pieces[i].name))
            continue;
        char *text = text_of_piece(ctx, (int32_t)i, 0);
        value = text ? JS_ParseJSON(ctx, text, locale_pieces[i].whole, name) : JS_EXCEPTION;
        js_free(ctx, text);
        break;
    }
    JS_FreeCString(ctx, name);
    return value;
}
