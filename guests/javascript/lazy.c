//! Lazy parts: which parts of the prelude does a program get only when it asks for them?
//!
//! Each is compiled while the image is made and kept as bytecode, which costs a program that does not use it nothing: it is neither parsed
//! nor seen by the garbage collector. Its text is cleared.

static char absent_lazy[] = {
#embed "lazy/absent.js"
};
static char assert_lazy[] = {
#embed "lazy/assert.js"
};
static char ciphers_lazy[] = {
#embed "lazy/ciphers.js"
};
static char collate_lazy[] = {
#embed "lazy/collate.js"
};
static char digests_lazy[] = {
#embed "lazy/digests.js"
};
static char file_streams_lazy[] = {
#embed "lazy/file_streams.js"
};
static char forms_lazy[] = {
#embed "lazy/forms.js"
};
static char json_errors_lazy[] = {
#embed "lazy/json_errors.js"
};
static char locale_lazy[] = {
#embed "lazy/locale.js"
};
static char namespaces_lazy[] = {
#embed "lazy/namespaces.js"
};
static char node_crypto_lazy[] = {
#embed "lazy/node_crypto.js"
};
static char old_url_lazy[] = {
#embed "lazy/old_url.js"
};
static char parse_args_lazy[] = {
#embed "lazy/parse_args.js"
};
static char querystring_lazy[] = {
#embed "lazy/querystring.js"
};
static char readline_lazy[] = {
#embed "lazy/readline.js"
};
static char segmenter_lazy[] = {
#embed "lazy/segmenter.js"
};
static char subtle_lazy[] = {
#embed "lazy/subtle.js"
};
static char web_streams_lazy[] = {
#embed "lazy/web_streams.js"
};
static char zlib_lazy[] = {
#embed "lazy/zlib.js"
};
static char zlib_engine_lazy[] = {
#embed "lazy/zlib_engine.js"
};
// Of npm packages.
static char library_crypto_lazy[] = {
#embed "library_crypto.js"
};
static char library_stream_lazy[] = {
#embed "library_stream.js"
};
static char library_web_streams_lazy[] = {
#embed "library_web_streams.js"
};
static char library_zlib_lazy[] = {
#embed "library_zlib.js"
};

typedef struct {
    const char *name;
    const char *file;
    char *text;
    size_t length;
    uint8_t *code;
    size_t code_length;
} lazy_part_t;

// Frames of the prelude have this in front of their file's name, see `stacks.c`.
#define LAZY_PART(name) {#name, INTERNAL_FILE #name, name##_lazy, sizeof name##_lazy, NULL, 0}

static lazy_part_t lazy_parts[] = {
    LAZY_PART(absent),
    LAZY_PART(assert),
    LAZY_PART(ciphers),
    LAZY_PART(collate),
    LAZY_PART(digests),
    LAZY_PART(file_streams),
    LAZY_PART(forms),
    LAZY_PART(json_errors),
    LAZY_PART(locale),
    LAZY_PART(namespaces),
    LAZY_PART(node_crypto),
    LAZY_PART(old_url),
    LAZY_PART(parse_args),
    LAZY_PART(querystring),
    LAZY_PART(readline),
    LAZY_PART(segmenter),
    LAZY_PART(subtle),
    LAZY_PART(web_streams),
    LAZY_PART(zlib),
    LAZY_PART(zlib_engine),
    LAZY_PART(library_crypto),
    LAZY_PART(library_stream),
    LAZY_PART(library_web_streams),
    LAZY_PART(library_zlib),
};

// False after an exception.
static bool keep_lazy_part(lazy_part_t *part) {
    char *ended = js_strndup(context, part->text, part->length);
    if (!ended)
        return false;
    JSValue compiled = JS_Eval(context, ended, part->length, part->file, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    js_free(context, ended);
    memset(part->text, 0, part->length);
    if (JS_IsException(compiled))
        return false;
    part->code = JS_WriteObject(context, &part->code_length, compiled, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
    JS_FreeValue(context, compiled);
    return part->code != NULL;
}

// lazyPart(name): the value of its text's last expression, which is a function; a new one each time.
static JSValue native_lazy_part(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    const char *name = JS_ToCString(ctx, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    JSValue value = JS_UNDEFINED;
    for (size_t i = 0; i < countof(lazy_parts); i++) {
        const lazy_part_t *part = &lazy_parts[i];
        if (strcmp(name, part->name))
            continue;
        JSValue compiled = JS_ReadObject(ctx, part->code, part->code_length, JS_READ_OBJ_BYTECODE);
        value = JS_IsException(compiled) ? compiled : JS_EvalFunction(ctx, compiled);
    }
    JS_FreeCString(ctx, name);
    return value;
}
