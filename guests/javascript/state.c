//! Guest state: what lives from one evaluation to the next?

static JSRuntime *runtime;
static JSContext *context;

// How deep the engine may recurse, counted on the stack in linear memory. The linker gives that stack 768 KiB more, so that the engine's
// unchecked leaf functions never leave it. The host's own stack must hold four times as much, and the parts of the engine in `guards.c`.
#define STACK_BYTES (4864 * 1024)

// The functions of the prelude that evaluation calls.
static struct {
    JSValue turn;      // runs one task of the event loop, waits if there is none; false when nothing is left
    JSValue run_ticks; // runs the callbacks of `process.nextTick`
    JSValue handle;    // gives an uncaught error to the program's own handlers; true if one took it
    JSValue report;    // what to say about an uncaught error: class, message, whole report
    JSValue describe;  // the value of the last expression: JSON or undefined, text
    JSValue before_exit; // runs the listeners of `beforeExit`
    JSValue finish;    // runs the listeners of `exit`
    JSValue reset;     // forgets timers and calls after an evaluation that was cut short
    JSValue resolve;   // the name of a module that an import means
    JSValue load;      // the source text or the namespace of a module
    JSValue transform; // TypeScript to JavaScript; undefined in the plain image
    JSValue meta_resolve; // where `import.meta.resolve` finds a module
    JSValue explain_json; // the message of an error of JSON
} prelude = {.explain_json = JS_UNDEFINED};

// What the program did during this evaluation.
static struct {
    bool loop_is_needed;   // a timer or a call was started
    bool tick_is_pending;  // `process.nextTick` was called
    bool has_exit_hooks;   // `process.on('exit')` and the like
    bool is_exiting;       // `process.exit` was called
    bool is_last;          // no evaluation follows, so the program ends
    bool has_no_value;     // the program was run as a function
    int32_t exit_code;
    JSModuleDef *main_module; // of a program that is a module
    JSValue main_promise;  // of a program that may wait
    JSValue value;         // of the last expression of a script that cannot wait
} evaluation = {.main_promise = JS_UNDEFINED, .value = JS_UNDEFINED};

// The source that came with the evaluation.
static struct {
    const char *name;
    const char *text;
    size_t length;
    bool is_typescript;
} source;

typedef struct {
    wasi_list_t *items;
    uint32_t length;
} text_list_t;

static text_list_t program_arguments, program_environment;

// Targets of weak references that were made or looked at since the last turn of the loop. A longer list would let a program fill the memory
// with what it holds weakly.
#define MOST_KEPT 65536

static struct {
    JSValue *targets;
    uint32_t count, capacity;
} kept;

static void keep_during_job(JSContext *ctx, JSValueConst target) {
    if (kept.count == MOST_KEPT || (kept.count && JS_VALUE_GET_PTR(kept.targets[kept.count - 1]) == JS_VALUE_GET_PTR(target)))
        return;
    if (kept.count == kept.capacity) {
        uint32_t capacity = kept.capacity ? 2 * kept.capacity : 16;
        JSValue *targets = js_realloc_rt(JS_GetRuntime(ctx), kept.targets, capacity * sizeof(JSValue));
        if (!targets)
            return;
        kept.targets = targets;
        kept.capacity = capacity;
    }
    kept.targets[kept.count++] = JS_DupValue(ctx, target);
}

static void free_kept(void) {
    while (kept.count)
        JS_FreeValue(context, kept.targets[--kept.count]);
}

// Rejected promises that are unhandled so far, in the order of their rejection.
static struct {
    JSValue *promises;
    uint32_t count, capacity;
} rejections;

static void note_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool is_handled, void *opaque) {
    if (is_handled) {
        for (uint32_t i = 0; i < rejections.count; i++) {
            if (JS_VALUE_GET_PTR(rejections.promises[i]) != JS_VALUE_GET_PTR(promise))
                continue;
            JS_FreeValue(ctx, rejections.promises[i]);
            rejections.count--;
            memmove(&rejections.promises[i], &rejections.promises[i + 1], (rejections.count - i) * sizeof(JSValue));
            return;
        }
        return;
    }
    if (rejections.count == rejections.capacity) {
        uint32_t capacity = rejections.capacity ? rejections.capacity * 2 : 16;
        JSValue *promises = realloc(rejections.promises, capacity * sizeof(JSValue));
        if (!promises)
            return;
        rejections.promises = promises;
        rejections.capacity = capacity;
    }
    rejections.promises[rejections.count++] = JS_DupValue(ctx, promise);
}

static void forget_rejections(void) {
    while (rejections.count)
        JS_FreeValue(context, rejections.promises[--rejections.count]);
}

// Stops the program wherever it is: neither `catch` nor `finally` sees this exception. Where the engine loses it on the way, the next
// interrupt check throws it again.
static JSValue throw_exit(JSContext *ctx) {
    ctx->interrupt_counter = 1;
    JS_ThrowInternalError(ctx, "exit");
    JS_SetUncatchableError(ctx, ctx->rt->current_exception);
    return JS_EXCEPTION;
}

// The words that the host reads and sets: whether it may interrupt, and that it has.
static volatile uint32_t interrupts_are_enabled, is_interrupted;

// As `throw_exit`, after a wait: the engine itself looks only now and then.
static JSValue throw_interrupt(JSContext *ctx) {
    ctx->interrupt_counter = 1;
    JS_ThrowInternalError(ctx, "interrupted");
    JS_SetUncatchableError(ctx, ctx->rt->current_exception);
    return JS_EXCEPTION;
}

// Whether the program ends here, by its own will or by the host's.
static bool is_ending(void) {
    return evaluation.is_exiting || is_interrupted;
}

static int interrupt(JSRuntime *rt, void *opaque) {
    return is_ending();
}
