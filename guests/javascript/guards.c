//! Stack guards: where does the engine recurse without checking its stack?
//!
//! The engine counts its stack in linear memory. In some places its frames are so small there that the host's stack would end first, which
//! is a trap that no program can catch. These are held back here, by putting a function of ours into the engine's function objects.

// How deep the parser, JSON, patterns and `flat` may go below the place where they begin: they use up to sixteen times as much of the host's stack.
// Calls of functions use up to four times as much.
#define NARROW_BYTES (256 * 1024)

// Returns the limit to restore.
static uintptr_t narrow_stack(JSRuntime *rt) {
    uintptr_t before = rt->stack_limit, limit = js_get_stack_pointer() - NARROW_BYTES;
    if (limit > before)
        rt->stack_limit = limit;
    return before;
}

// A text of so many characters cannot be nested deeply enough to matter.
#define SHORT_TEXT 1024

// The program runs in the whole stack, only reading it is held back.
static JSValue evaluate_text(JSContext *ctx, JSValueConst self, const char *text, size_t length, const char *name, int line, int flags,
                             int scope) {
    if (length <= SHORT_TEXT)
        return __JS_EvalInternal(ctx, self, text, length, name, line, flags, scope);
    uintptr_t before = narrow_stack(ctx->rt);
    JSValue compiled = __JS_EvalInternal(ctx, self, text, length, name, line, flags | JS_EVAL_FLAG_COMPILE_ONLY, scope);
    ctx->rt->stack_limit = before;
    if (JS_IsException(compiled) || flags & JS_EVAL_FLAG_COMPILE_ONLY)
        return compiled;
    JSStackFrame *frame = NULL;
    JSVarRef **variables = NULL;
    if ((flags & JS_EVAL_TYPE_MASK) == JS_EVAL_TYPE_DIRECT) {
        frame = ctx->rt->current_stack_frame;
        variables = JS_VALUE_GET_OBJ(frame->cur_func)->u.func.var_refs;
    }
    return JS_EvalFunctionInternal(ctx, compiled, self, variables, frame);
}

// Gives an error of JSON the message that programs expect.
static JSValue explain_json(JSContext *ctx, JSValueConst subject) {
    JSValue error = JS_GetException(ctx);
    if (JS_IsError(error) && !JS_IsUndefined(prelude.explain_json)) {
        JSValueConst arguments[] = {error, subject};
        JSValue done = JS_Call(ctx, prelude.explain_json, JS_UNDEFINED, 2, arguments);
        if (JS_IsException(done))
            JS_FreeValue(ctx, JS_GetException(ctx));
        JS_FreeValue(ctx, done);
    }
    return JS_Throw(ctx, error);
}

// A function that changes values may go deep again, so a long text that needs one is read
// once without it, to see that it is shallow.
static JSValue parse_json(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JSValue text = JS_ToString(ctx, argv[0]);
    if (JS_IsException(text))
        return text;
    JSValueConst arguments[] = {text, argv[1]};
    bool has_reviver = argc > 1 && JS_IsFunction(ctx, argv[1]);
    JSValue value = JS_UNDEFINED;
    if (!has_reviver || JS_VALUE_GET_TAG(text) != JS_TAG_STRING || JS_VALUE_GET_STRING(text)->len > SHORT_TEXT) {
        uintptr_t before = narrow_stack(ctx->rt);
        value = js_json_parse(ctx, self, 1, arguments);
        ctx->rt->stack_limit = before;
    }
    if (has_reviver && !JS_IsException(value)) {
        JS_FreeValue(ctx, value);
        value = js_json_parse(ctx, self, 2, arguments);
    }
    if (JS_IsException(value))
        value = explain_json(ctx, text);
    JS_FreeValue(ctx, text);
    return value;
}

static JSValue write_json(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    uintptr_t before = narrow_stack(ctx->rt);
    JSValue text = js_json_stringify(ctx, self, argc, argv);
    ctx->rt->stack_limit = before;
    return JS_IsException(text) ? explain_json(ctx, argv[0]) : text;
}

static JSValue flat_array(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int magic) {
    uintptr_t before = narrow_stack(ctx->rt);
    JSValue array = js_array_flatten(ctx, self, argc, argv, magic);
    ctx->rt->stack_limit = before;
    return array;
}

static JSValue compile_pattern(JSContext *ctx, JSValueConst pattern, JSValueConst flags) {
    uintptr_t before = narrow_stack(ctx->rt);
    JSValue code = js_compile_regexp(ctx, pattern, flags);
    ctx->rt->stack_limit = before;
    return code;
}

static JSValue new_pattern(JSContext *ctx, JSValueConst target, int argc, JSValueConst *argv) {
    uintptr_t before = narrow_stack(ctx->rt);
    JSValue pattern = js_regexp_constructor(ctx, target, argc, argv);
    ctx->rt->stack_limit = before;
    return pattern;
}

static JSValue replace_pattern(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    uintptr_t before = narrow_stack(ctx->rt);
    JSValue pattern = js_regexp_compile(ctx, self, argc, argv);
    ctx->rt->stack_limit = before;
    return pattern;
}

// What a chain of small frames takes in linear memory besides, so that the engine's count ends it.
#define WEIGHT_BYTES 1024

// The compiler must not take the room away again.
static void hold(uint8_t *weight) {
    __asm__ volatile("" : : "r"(weight) : "memory");
}

// How many proxies may stand for one another.
#define NESTED_PROXIES 1000

static bool is_nested_too_deeply(JSValueConst target) {
    for (int depth = 0; JS_IsProxy(target); depth++) {
        if (depth == NESTED_PROXIES)
            return true;
        target = ((JSProxyData *)JS_GetOpaque(target, JS_CLASS_PROXY))->target;
    }
    return false;
}

static JSValue new_proxy(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    if (is_nested_too_deeply(argv[0]))
        return JS_ThrowStackOverflow(ctx);
    return js_proxy_constructor(ctx, self, argc, argv);
}

static JSValue new_revocable_proxy(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    if (is_nested_too_deeply(argv[0]))
        return JS_ThrowStackOverflow(ctx);
    return js_proxy_revocable(ctx, self, argc, argv);
}

static JSValue next_of_helper(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int *is_done, int magic) {
    uint8_t weight[WEIGHT_BYTES];
    hold(weight);
    if (js_check_stack_overflow(ctx->rt, 0))
        return JS_ThrowStackOverflow(ctx);
    JSValue value = js_iterator_helper_next(ctx, self, argc, argv, is_done, magic);
    hold(weight);
    return value;
}

static int proxy_has(JSContext *ctx, JSValueConst proxy, JSAtom name) {
    uint8_t weight[WEIGHT_BYTES];
    hold(weight);
    int answer = js_proxy_has(ctx, proxy, name);
    hold(weight);
    return answer;
}

static JSClassExoticMethods proxy_methods;

static JSCFunctionType *function_of(JSContext *ctx, JSValueConst holder, const char *name) {
    JSValue function = JS_GetPropertyStr(ctx, holder, name);
    JSCFunctionType *type = &JS_VALUE_GET_OBJ(function)->u.cfunc.c_function;
    // The holder keeps it.
    JS_FreeValue(ctx, function);
    return type;
}

static void install_guards(JSContext *ctx) {
    JSValue proxy = JS_GetPropertyStr(ctx, ctx->global_obj, "Proxy");
    function_of(ctx, ctx->global_obj, "Proxy")->constructor = new_proxy;
    function_of(ctx, proxy, "revocable")->generic = new_revocable_proxy;
    JS_FreeValue(ctx, proxy);
    proxy_methods = js_proxy_exotic_methods;
    proxy_methods.has_property = proxy_has;
    ctx->rt->class_array[JS_CLASS_PROXY].exotic = &proxy_methods;
    ctx->eval_internal = evaluate_text;
    ctx->compile_regexp = compile_pattern;
    function_of(ctx, ctx->global_obj, "RegExp")->generic = new_pattern;
    function_of(ctx, ctx->class_proto[JS_CLASS_REGEXP], "compile")->generic = replace_pattern;
    JSValue json = JS_GetPropertyStr(ctx, ctx->global_obj, "JSON");
    function_of(ctx, json, "parse")->generic = parse_json;
    function_of(ctx, json, "stringify")->generic = write_json;
    JS_FreeValue(ctx, json);
    function_of(ctx, ctx->class_proto[JS_CLASS_ARRAY], "flat")->generic_magic = flat_array;
    JSValueConst helper = ctx->class_proto[JS_CLASS_ITERATOR_HELPER];
    function_of(ctx, helper, "next")->iterator_next = next_of_helper;
    function_of(ctx, helper, "return")->iterator_next = next_of_helper;
}
