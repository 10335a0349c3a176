//! Pre-initialisation: how does the engine get its globals before the memory image is taken?
//!
//! Nothing here may call an import: the image is made where there is no host.

// The files in the order in which they run. Each is an arrow function of `(native, internal)`; `internal` carries what one needs from another.
static const char base_js[] = {
#embed "prelude/base.js" suffix(, 0)
};
static const char files_js[] = {
#embed "prelude/files.js" suffix(, 0)
};
static const char node_js[] = {
#embed "prelude/node.js" suffix(, 0)
};
static const char inspect_js[] = {
#embed "prelude/inspect.js" suffix(, 0)
};
static const char console_js[] = {
#embed "prelude/console.js" suffix(, 0)
};
static const char report_js[] = {
#embed "prelude/report.js" suffix(, 0)
};
static const char loop_js[] = {
#embed "prelude/loop.js" suffix(, 0)
};
static const char encoding_js[] = {
#embed "prelude/encoding.js" suffix(, 0)
};
static const char dom_exception_js[] = {
#embed "prelude/dom_exception.js" suffix(, 0)
};
static const char events_js[] = {
#embed "prelude/events.js" suffix(, 0)
};
static const char buffer_js[] = {
#embed "prelude/buffer.js" suffix(, 0)
};
static const char blob_js[] = {
#embed "prelude/blob.js" suffix(, 0)
};
static const char clone_js[] = {
#embed "prelude/clone.js" suffix(, 0)
};
static const char crypto_js[] = {
#embed "prelude/crypto.js" suffix(, 0)
};
static const char emitter_js[] = {
#embed "prelude/emitter.js" suffix(, 0)
};
static const char path_js[] = {
#embed "prelude/path.js" suffix(, 0)
};
static const char process_js[] = {
#embed "prelude/process.js" suffix(, 0)
};
static const char stdio_js[] = {
#embed "prelude/stdio.js" suffix(, 0)
};
static const char util_js[] = {
#embed "prelude/util.js" suffix(, 0)
};
static const char url_js[] = {
#embed "prelude/url.js" suffix(, 0)
};
static const char fetch_js[] = {
#embed "prelude/fetch.js" suffix(, 0)
};
static const char locale_js[] = {
#embed "prelude/locale.js" suffix(, 0)
};
static const char results_js[] = {
#embed "prelude/results.js" suffix(, 0)
};
static const char transform_js[] = {
#embed "prelude/transform.js" suffix(, 0)
};
static const char modules_js[] = {
#embed "prelude/modules.js" suffix(, 0)
};

typedef struct {
    const char *file;
    const char *text;
    size_t length;
} prelude_file_t;

#define PRELUDE_FILE(name) {INTERNAL_FILE #name, name##_js, sizeof(name##_js) - 1}

static const prelude_file_t prelude_files[] = {
    PRELUDE_FILE(base), PRELUDE_FILE(files), PRELUDE_FILE(node), PRELUDE_FILE(inspect), PRELUDE_FILE(console), PRELUDE_FILE(report), PRELUDE_FILE(loop),
    PRELUDE_FILE(encoding), PRELUDE_FILE(dom_exception), PRELUDE_FILE(events), PRELUDE_FILE(buffer), PRELUDE_FILE(blob), PRELUDE_FILE(clone), PRELUDE_FILE(crypto),
    PRELUDE_FILE(emitter), PRELUDE_FILE(path), PRELUDE_FILE(process), PRELUDE_FILE(stdio), PRELUDE_FILE(util), PRELUDE_FILE(url),
    PRELUDE_FILE(fetch), PRELUDE_FILE(locale), PRELUDE_FILE(results), PRELUDE_FILE(transform), PRELUDE_FILE(modules),
};

#ifdef HAVE_TYPESCRIPT
#include "typescript.h"
#endif

// Pre-initialisation has no output for errors, so the text goes where a debugger of the build finds it.
static char failure_text[1024];

__attribute__((export_name("failure"))) const char *failure(void) {
    return failure_text;
}

static _Noreturn void fail_to_start(void) {
    JSValue error = JS_GetException(context);
    const char *text = JS_ToCString(context, error);
    JSValue stack = JS_GetPropertyStr(context, error, "stack");
    const char *frames = JS_ToCString(context, stack);
    snprintf(failure_text, sizeof failure_text, "%s\n%s", text ? text : "", frames ? frames : "");
    __builtin_trap();
}

static JSValue required(JSValue value) {
    if (JS_IsException(value))
        fail_to_start();
    return value;
}

static void run_prelude_file(const prelude_file_t *file, JSValueConst *arguments) {
    JSValue function = required(JS_Eval(context, file->text, file->length, file->file, JS_EVAL_TYPE_GLOBAL));
    JS_FreeValue(context, required(JS_Call(context, function, JS_UNDEFINED, 2, arguments)));
    JS_FreeValue(context, function);
}

static JSValue internal_function(JSValueConst internal, const char *name) {
    return required(JS_GetPropertyStr(context, internal, name));
}

static void take_functions(JSValueConst internal) {
    prelude.turn = internal_function(internal, "turn");
    prelude.run_ticks = internal_function(internal, "runTicks");
    prelude.handle = internal_function(internal, "handle");
    prelude.report = internal_function(internal, "report");
    prelude.describe = internal_function(internal, "describe");
    prelude.before_exit = internal_function(internal, "beforeExit");
    prelude.finish = internal_function(internal, "finish");
    prelude.reset = internal_function(internal, "reset");
    prelude.resolve = internal_function(internal, "resolve");
    prelude.load = internal_function(internal, "load");
    prelude.transform = internal_function(internal, "transform");
    prelude.meta_resolve = internal_function(internal, "metaResolve");
    prelude.explain_json = internal_function(internal, "explainJson");
}

// Small programs find memory in the image already. It is not written to, so that it costs the image no pages.
#define SPARE_BYTES (1 << 20)

static void keep_spare_memory(void) {
    end_layout();
    void *volatile spare = malloc(SPARE_BYTES);
    free(spare);
    leave_gaps();
}

static void start(void) {
    runtime = JS_NewRuntime();
    if (!runtime)
        __builtin_trap();
    JS_SetMaxStackSize(runtime, STACK_BYTES);
    // Collecting between the steps of the prelude would only scatter what survives.
    JS_SetGCThreshold(runtime, (size_t)-1);
    context = JS_NewContext(runtime);
    if (!context)
        __builtin_trap();
    install_stack_property(context);
    install_guards(context);
    JSValue native = JS_NewObject(context);
    JSValue internal = JS_NewObject(context);
    JS_SetPropertyFunctionList(context, native, native_functions, countof(native_functions));
    JSValueConst arguments[] = {native, internal};
#ifdef HAVE_TYPESCRIPT
    JS_FreeValue(context, required(JS_Eval(context, (const char *)typescript_js, typescript_js_len, INTERNAL_FILE "typescript",
                                           JS_EVAL_TYPE_GLOBAL)));
#endif
#ifdef COMPILES_LIBRARY
    if (!compile_library())
        fail_to_start();
    return;
#elif defined(HAVE_TYPESCRIPT)
    // Only one of the two guests has a use for the compiler.
    if (typescript_js_len == 0)
        memset(library_typescript_code, 0, sizeof library_typescript_code);
#endif
    for (size_t i = 0; i < countof(lazy_parts); i++) {
        if (!keep_lazy_part(&lazy_parts[i]))
            fail_to_start();
    }
    for (size_t i = 0; i < countof(prelude_files); i++)
        run_prelude_file(&prelude_files[i], arguments);
    take_functions(internal);
    JS_FreeValue(context, native);
    JS_FreeValue(context, internal);
    JSContext *unused;
    while (JS_ExecutePendingJob(runtime, &unused) > 0)
        continue;
    JS_SetModuleLoaderFunc2(runtime, resolve_module, load_module, NULL, NULL);
    JS_SetHostPromiseRejectionTracker(runtime, note_rejection, NULL);
    JS_RunGC(runtime);
    // A small program ends before its first collection, which would write to every page that holds an object.
    JS_SetGCThreshold(runtime, runtime->malloc_state.malloc_size + 4 * SPARE_BYTES);
    keep_spare_memory();
    JS_SetInterruptHandler(runtime, interrupt, NULL);
}

__attribute__((export_name("wizer-initialize"))) void initialize(void) {
    start();
}
