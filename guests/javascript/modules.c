//! Module loader: where does an `import` find its module?
//!
//! The prelude decides (`prelude/modules.js`); this file speaks the engine's loader interface.

static char *resolve_module(JSContext *ctx, const char *base, const char *name, void *opaque) {
    if (!JS_IsUndefined(met_imports)) {
        uint32_t count = 0;
        JSValue length = JS_GetPropertyStr(ctx, met_imports, "length");
        JS_ToUint32(ctx, &count, length);
        if (JS_DefinePropertyValueUint32(ctx, met_imports, count, JS_NewString(ctx, name), JS_PROP_C_W_E) < 0)
            return NULL;
        return js_strdup(ctx, NO_MODULE);
    }
    JSValue arguments[] = {JS_NewString(ctx, base), JS_NewString(ctx, name)};
    JSValue resolved = JS_Call(ctx, prelude.resolve, JS_UNDEFINED, 2, (JSValueConst *)arguments);
    JS_FreeValue(ctx, arguments[0]);
    JS_FreeValue(ctx, arguments[1]);
    if (JS_IsException(resolved))
        return NULL;
    const char *text = JS_ToCString(ctx, resolved);
    char *copy = text ? js_strdup(ctx, text) : NULL;
    JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, resolved);
    return copy;
}

// Fills a module whose exports are the properties of an object.
static int fill_module(JSContext *ctx, JSModuleDef *module) {
    JSValue exports = JS_GetModulePrivateValue(ctx, module);
    JSPropertyEnum *names = NULL;
    uint32_t count = 0;
    int failure = JS_GetOwnPropertyNames(ctx, &names, &count, exports, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY);
    for (uint32_t i = 0; i < count && !failure; i++) {
        const char *name = JS_AtomToCString(ctx, names[i].atom);
        JSValue value = JS_GetProperty(ctx, exports, names[i].atom);
        if (!name || JS_IsException(value))
            failure = -1;
        else
            failure = JS_SetModuleExport(ctx, module, name, value);
        JS_FreeCString(ctx, name);
    }
    JS_FreePropertyEnum(ctx, names, count);
    JS_FreeValue(ctx, exports);
    return failure;
}

// Takes `exports`.
static JSModuleDef *module_of_values(JSContext *ctx, const char *name, JSValue exports) {
    JSPropertyEnum *names = NULL;
    uint32_t count = 0;
    JSModuleDef *module = JS_NewCModule(ctx, name, fill_module);
    if (!module || JS_GetOwnPropertyNames(ctx, &names, &count, exports, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY)) {
        JS_FreeValue(ctx, exports);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *export = JS_AtomToCString(ctx, names[i].atom);
        if (export)
            JS_AddModuleExport(ctx, module, export);
        JS_FreeCString(ctx, export);
    }
    JS_FreePropertyEnum(ctx, names, count);
    JS_SetModulePrivateValue(ctx, module, exports);
    return module;
}

// import.meta.resolve(name)
static JSValue resolve_from(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int magic, JSValueConst *base) {
    JSValueConst arguments[] = {base[0], argc > 0 ? argv[0] : JS_UNDEFINED};
    return JS_Call(ctx, prelude.meta_resolve, JS_UNDEFINED, 2, arguments);
}

static void define_meta(JSContext *ctx, JSModuleDef *module, const char *path, bool is_main) {
    JSValue meta = JS_GetImportMeta(ctx, module);
    const char *slash = strrchr(path, '/');
    size_t directory = slash ? slash - path : 0;
    size_t length = strlen(path);
    char *url = js_malloc(ctx, length + 8);
    if (url) {
        memcpy(url, "file://", 7);
        memcpy(url + 7, path, length + 1);
        JS_DefinePropertyValueStr(ctx, meta, "url", JS_NewString(ctx, url), JS_PROP_C_W_E);
        js_free(ctx, url);
    }
    JS_DefinePropertyValueStr(ctx, meta, "filename", JS_NewString(ctx, path), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, meta, "dirname", JS_NewStringLen(ctx, directory ? path : "/", directory ? directory : 1),
                              JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, meta, "main", JS_NewBool(ctx, is_main), JS_PROP_C_W_E);
    JSValue base = JS_NewString(ctx, path);
    JS_DefinePropertyValueStr(ctx, meta, "resolve", JS_NewCFunctionData(ctx, resolve_from, 1, 0, 1, (JSValueConst *)&base), JS_PROP_C_W_E);
    JS_FreeValue(ctx, base);
    JS_FreeValue(ctx, meta);
}

static JSModuleDef *module_of_text(JSContext *ctx, const char *name, JSValueConst value) {
    text_t text = text_from(ctx, value);
    if (!text.bytes)
        return NULL;
    char *ended = js_strndup(ctx, text.bytes, text.length);
    JSValue compiled = JS_EXCEPTION;
    if (ended)
        compiled = JS_Eval(ctx, ended, text.length, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    js_free(ctx, ended);
    free_text(ctx, text);
    if (JS_IsException(compiled))
        return NULL;
    // The context's list of modules keeps it alive.
    JSModuleDef *module = JS_VALUE_GET_PTR(compiled);
    JS_FreeValue(ctx, compiled);
    define_meta(ctx, module, name, false);
    return module;
}

static JSModuleDef *find_module(JSContext *ctx, const char *name, JSValueConst attributes) {
    if (!JS_IsUndefined(met_imports))
        return module_of_values(ctx, name, JS_NewObject(ctx));
    JSValue arguments[] = {JS_NewString(ctx, name), JS_DupValue(ctx, attributes)};
    JSValue loaded = JS_Call(ctx, prelude.load, JS_UNDEFINED, 2, (JSValueConst *)arguments);
    JS_FreeValue(ctx, arguments[0]);
    JS_FreeValue(ctx, arguments[1]);
    if (JS_IsException(loaded))
        return NULL;
    if (!JS_IsString(loaded))
        return module_of_values(ctx, name, loaded);
    JSModuleDef *module = module_of_text(ctx, name, loaded);
    JS_FreeValue(ctx, loaded);
    return module;
}

// What is imported may run now, and has the whole stack, however deep the import was met.
static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque, JSValueConst attributes) {
    uintptr_t before = ctx->rt->stack_limit;
    update_stack_limit(ctx->rt);
    JSModuleDef *module = find_module(ctx, name, attributes);
    ctx->rt->stack_limit = before;
    return module;
}
