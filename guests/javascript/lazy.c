//! Lazy parts: which parts of the prelude does a program get only when it asks for them?
//!
//! Each is compiled while the image is made and kept as bytecode, which costs a program that does not use it nothing: it is neither parsed
//! nor seen by the garbage collector. Its text is cleared.

static char absent_lazy[] = {
#embed "lazy/absent.js"
};
static char async_hooks_lazy[] = {
#embed "lazy/async_hooks.js"
};
static char ciphers_lazy[] = {
#embed "lazy/ciphers.js"
};
static char collate_lazy[] = {
#embed "lazy/collate.js"
};
static char collator_lazy[] = {
#embed "lazy/collator.js"
};
static char compiler_lazy[] = {
#embed "lazy/compiler.js"
};
static char digests_lazy[] = {
#embed "lazy/digests.js"
};
static char forms_lazy[] = {
#embed "lazy/forms.js"
};
static char http_lazy[] = {
#embed "lazy/http.js"
};
static char json_errors_lazy[] = {
#embed "lazy/json_errors.js"
};
static char intl_lazy[] = {
#embed "lazy/intl.js"
};
static char intl_numbers_lazy[] = {
#embed "lazy/intl_numbers.js"
};
static char intl_dates_lazy[] = {
#embed "lazy/intl_dates.js"
};
static char intl_patterns_lazy[] = {
#embed "lazy/intl_patterns.js"
};
static char intl_ranges_lazy[] = {
#embed "lazy/intl_ranges.js"
};
static char intl_zones_lazy[] = {
#embed "lazy/intl_zones.js"
};
static char intl_texts_lazy[] = {
#embed "lazy/intl_texts.js"
};
static char intl_locale_lazy[] = {
#embed "lazy/intl_locale.js"
};
static char locale_lazy[] = {
#embed "lazy/locale.js"
};
static char node_crypto_lazy[] = {
#embed "lazy/node_crypto.js"
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
static char fs_binding_lazy[] = {
#embed "lazy/fs_binding.js"
};
static char node_bindings_lazy[] = {
#embed "lazy/node_bindings.js"
};
static char zlib_binding_lazy[] = {
#embed "lazy/zlib_binding.js"
};
static char stdin_lazy[] = {
#embed "lazy/stdin.js"
};
static char perf_hooks_lazy[] = {
#embed "lazy/perf_hooks.js"
};
static char punycode_lazy[] = {
#embed "lazy/punycode.js"
};
static char zlib_engine_lazy[] = {
#embed "lazy/zlib_engine.js"
};
// Of Node's own library: texts, and `NODE_PARTS` for the table.
#include "node_library.h"
// Of npm packages.
static char library_crypto_lazy[] = {
#embed "library_crypto.js"
};
static char library_minimatch_lazy[] = {
#embed "library_minimatch.js"
};
// Of formatjs, with the rules of the plural.
static char library_intl_decimal_lazy[] = {
#embed "library_intl_decimal.js"
};
static char library_intl_numbers_lazy[] = {
#embed "library_intl_numbers.js"
};
static char library_intl_plurals_lazy[] = {
#embed "library_intl_plurals.js"
};
static char library_intl_plural_rules_lazy[] = {
#embed "library_intl_plural_rules.js"
};
static char library_intl_relative_lazy[] = {
#embed "library_intl_relative.js"
};
static char library_intl_lists_lazy[] = {
#embed "library_intl_lists.js"
};
static char library_intl_names_lazy[] = {
#embed "library_intl_names.js"
};
static char library_intl_canonical_lazy[] = {
#embed "library_intl_canonical.js"
};
// The TypeScript compiler is so large that compiling it here would leave the heap full of holes. A first build of the guest compiles it
// (`COMPILES_LIBRARY`), and the second has only the bytecode.
#ifdef COMPILES_LIBRARY
static char library_typescript_text[] = {
#embed "library_typescript.js" suffix(, 0)
};
#else
static uint8_t library_typescript_code[] = {
#embed "library_typescript.bytecode"
};
#endif
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
#define NODE_PART(name, text) {"node:" name, INTERNAL_FILE "node:" name, text, sizeof text, NULL, 0},
#define LAZY_PART(name) {#name, INTERNAL_FILE #name, name##_lazy, sizeof name##_lazy, NULL, 0}

static lazy_part_t lazy_parts[] = {
    LAZY_PART(absent),
    LAZY_PART(async_hooks),
    LAZY_PART(ciphers),
    LAZY_PART(collate),
    LAZY_PART(collator),
    LAZY_PART(compiler),
    LAZY_PART(digests),
    LAZY_PART(forms),
    LAZY_PART(http),
    LAZY_PART(json_errors),
    LAZY_PART(intl),
    LAZY_PART(intl_numbers),
    LAZY_PART(intl_dates),
    LAZY_PART(intl_patterns),
    LAZY_PART(intl_ranges),
    LAZY_PART(intl_zones),
    LAZY_PART(intl_texts),
    LAZY_PART(intl_locale),
    LAZY_PART(locale),
    LAZY_PART(node_crypto),
    LAZY_PART(readline),
    LAZY_PART(segmenter),
    LAZY_PART(subtle),
    LAZY_PART(web_streams),
    LAZY_PART(fs_binding),
    LAZY_PART(node_bindings),
    LAZY_PART(zlib_binding),
    LAZY_PART(stdin),
    LAZY_PART(perf_hooks),
    LAZY_PART(punycode),
    LAZY_PART(zlib_engine),
    NODE_PARTS
    LAZY_PART(library_crypto),
    LAZY_PART(library_minimatch),
    LAZY_PART(library_intl_decimal),
    LAZY_PART(library_intl_numbers),
    LAZY_PART(library_intl_plurals),
    LAZY_PART(library_intl_plural_rules),
    LAZY_PART(library_intl_relative),
    LAZY_PART(library_intl_lists),
    LAZY_PART(library_intl_names),
    LAZY_PART(library_intl_canonical),
    LAZY_PART(library_web_streams),
    LAZY_PART(library_zlib),
};

#ifdef COMPILES_LIBRARY
static uint8_t *library_code;
static size_t library_length;

__attribute__((export_name("library-code"))) const uint8_t *exported_library_code(void) {
    return library_code;
}

__attribute__((export_name("library-length"))) size_t exported_library_length(void) {
    return library_length;
}

static bool compile_library(void) {
    JSValue compiled = JS_Eval(context, library_typescript_text, sizeof library_typescript_text - 1, INTERNAL_FILE "typescript",
                               JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(compiled))
        return false;
    library_code = JS_WriteObject(context, &library_length, compiled, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
    JS_FreeValue(context, compiled);
    return library_code != NULL;
}
#endif

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
#ifndef COMPILES_LIBRARY
    if (!strcmp(name, "library_typescript")) {
        JSValue compiled = JS_ReadObject(ctx, library_typescript_code, sizeof library_typescript_code, JS_READ_OBJ_BYTECODE);
        value = JS_IsException(compiled) ? compiled : JS_EvalFunction(ctx, compiled);
    }
#endif
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
