//! Stack guards: where does the engine recurse without checking its stack?
//!
//! In two places its frames are so small in linear memory that the host's stack ends first, which would be a trap. Both are held back
//! here, by putting a function of ours into the engine's function objects.

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
    if (js_check_stack_overflow(ctx->rt, 0))
        return JS_ThrowStackOverflow(ctx);
    return js_iterator_helper_next(ctx, self, argc, argv, is_done, magic);
}

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
    JSValueConst helper = ctx->class_proto[JS_CLASS_ITERATOR_HELPER];
    function_of(ctx, helper, "next")->iterator_next = next_of_helper;
    function_of(ctx, helper, "return")->iterator_next = next_of_helper;
}
