//! Value inspection: what can the prelude learn of a value that JavaScript hides?

typedef struct {
    JSClassID id;
    const char *name;
} class_name_t;

static const class_name_t class_names[] = {
    {JS_CLASS_ARRAY, "Array"},
    {JS_CLASS_ERROR, "Error"},
    {JS_CLASS_NUMBER, "Number"},
    {JS_CLASS_STRING, "String"},
    {JS_CLASS_BOOLEAN, "Boolean"},
    {JS_CLASS_SYMBOL, "Symbol"},
    {JS_CLASS_BIG_INT, "BigInt"},
    {JS_CLASS_ARGUMENTS, "Arguments"},
    {JS_CLASS_MAPPED_ARGUMENTS, "Arguments"},
    {JS_CLASS_DATE, "Date"},
    {JS_CLASS_MODULE_NS, "Module"},
    {JS_CLASS_REGEXP, "RegExp"},
    {JS_CLASS_ARRAY_BUFFER, "ArrayBuffer"},
    {JS_CLASS_SHARED_ARRAY_BUFFER, "SharedArrayBuffer"},
    {JS_CLASS_DATAVIEW, "DataView"},
    {JS_CLASS_MAP, "Map"},
    {JS_CLASS_SET, "Set"},
    {JS_CLASS_WEAKMAP, "WeakMap"},
    {JS_CLASS_WEAKSET, "WeakSet"},
    {JS_CLASS_WEAK_REF, "WeakRef"},
    {JS_CLASS_MAP_ITERATOR, "Map Iterator"},
    {JS_CLASS_SET_ITERATOR, "Set Iterator"},
    {JS_CLASS_GENERATOR, "Generator"},
    {JS_CLASS_ASYNC_GENERATOR, "AsyncGenerator"},
    {JS_CLASS_PROXY, "Proxy"},
    {JS_CLASS_PROMISE, "Promise"},
    {JS_CLASS_DOM_EXCEPTION, "DOMException"},
    {JS_CLASS_GENERATOR_FUNCTION, "GeneratorFunction"},
    {JS_CLASS_ASYNC_FUNCTION, "AsyncFunction"},
    {JS_CLASS_ASYNC_GENERATOR_FUNCTION, "AsyncGeneratorFunction"},
};

// classOf(value): what the engine made it, whatever its prototype says; undefined for plain objects and primitives.
static JSValue native_class_of(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JSClassID id = JS_GetClassID(argv[0]);
    if (is_typed_array(id))
        return JS_NewString(ctx, "TypedArray");
    for (size_t i = 0; i < countof(class_names); i++) {
        if (class_names[i].id == id)
            return JS_NewString(ctx, class_names[i].name);
    }
    return JS_UNDEFINED;
}

// isDate(value) and the like, as Node's C++ has them: what the engine made it.
static JSValue native_is_of_class(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int magic) {
    return JS_NewBool(ctx, JS_GetClassID(argv[0]) == (JSClassID)magic);
}

static JSValue native_is_of_two(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int magic) {
    JSClassID id = JS_GetClassID(argv[0]);
    return JS_NewBool(ctx, id == (JSClassID)(magic & 0xff) || id == (JSClassID)(magic >> 8));
}

static JSValue native_is_boxed(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    switch (JS_GetClassID(argv[0])) {
    case JS_CLASS_NUMBER:
    case JS_CLASS_STRING:
    case JS_CLASS_BOOLEAN:
    case JS_CLASS_SYMBOL:
    case JS_CLASS_BIG_INT:
        return JS_TRUE;
    default:
        return JS_FALSE;
    }
}

#define IS_CLASS(name, class) JS_CFUNC_MAGIC_DEF("is" name, 1, native_is_of_class, class)
#define IS_EITHER(name, class, other) JS_CFUNC_MAGIC_DEF("is" name, 1, native_is_of_two, class | other << 8)

static const JSCFunctionListEntry type_checks[] = {
    IS_CLASS("Date", JS_CLASS_DATE),
    IS_CLASS("BigIntObject", JS_CLASS_BIG_INT),
    IS_CLASS("BooleanObject", JS_CLASS_BOOLEAN),
    IS_CLASS("NumberObject", JS_CLASS_NUMBER),
    IS_CLASS("StringObject", JS_CLASS_STRING),
    IS_CLASS("SymbolObject", JS_CLASS_SYMBOL),
    IS_CLASS("NativeError", JS_CLASS_ERROR),
    IS_CLASS("RegExp", JS_CLASS_REGEXP),
    IS_CLASS("Promise", JS_CLASS_PROMISE),
    IS_CLASS("Map", JS_CLASS_MAP),
    IS_CLASS("Set", JS_CLASS_SET),
    IS_CLASS("MapIterator", JS_CLASS_MAP_ITERATOR),
    IS_CLASS("SetIterator", JS_CLASS_SET_ITERATOR),
    IS_CLASS("WeakMap", JS_CLASS_WEAKMAP),
    IS_CLASS("WeakSet", JS_CLASS_WEAKSET),
    IS_CLASS("ArrayBuffer", JS_CLASS_ARRAY_BUFFER),
    IS_CLASS("DataView", JS_CLASS_DATAVIEW),
    IS_CLASS("Proxy", JS_CLASS_PROXY),
    IS_CLASS("ModuleNamespaceObject", JS_CLASS_MODULE_NS),
    IS_CLASS("AnyArrayBuffer", JS_CLASS_ARRAY_BUFFER),
    IS_EITHER("ArgumentsObject", JS_CLASS_ARGUMENTS, JS_CLASS_MAPPED_ARGUMENTS),
    IS_EITHER("AsyncFunction", JS_CLASS_ASYNC_FUNCTION, JS_CLASS_ASYNC_GENERATOR_FUNCTION),
    IS_EITHER("GeneratorFunction", JS_CLASS_GENERATOR_FUNCTION, JS_CLASS_ASYNC_GENERATOR_FUNCTION),
    IS_EITHER("GeneratorObject", JS_CLASS_GENERATOR, JS_CLASS_ASYNC_GENERATOR),
    JS_CFUNC_DEF("isBoxedPrimitive", 1, native_is_boxed),
};

// typeChecks(): the functions above by their names.
static JSValue native_type_checks(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JSValue checks = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, checks, type_checks, countof(type_checks));
    return checks;
}

// The bits of V8's `PropertyFilter` that Node uses.
enum { ONLY_ENUMERABLE = 2, SKIP_SYMBOLS = 16 };

static bool is_named(JSContext *ctx, const JSShapeProperty *property, JSAtomKindEnum kind, int32_t filter) {
    uint32_t index;
    return property->atom != JS_ATOM_NULL && JS_AtomGetKind(ctx, property->atom) == kind && !JS_AtomIsArrayIndex(ctx, &index, property->atom) &&
           (!(filter & ONLY_ENUMERABLE) || property->flags & JS_PROP_ENUMERABLE);
}

// namedKeys(array, filter): its own keys that are not indices; those of a fast or typed array are in its shape alone, however long it is.
static JSValue native_named_keys(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    if (!JS_IsObject(argv[0]) || JS_IsProxy(argv[0]))
        return JS_UNDEFINED;
    int32_t filter;
    if (JS_ToInt32(ctx, &filter, argv[1]))
        return JS_EXCEPTION;
    const JSShape *shape = JS_VALUE_GET_OBJ(argv[0])->shape;
    JSValue keys = JS_NewArray(ctx);
    uint32_t count = 0;
    for (JSAtomKindEnum kind = JS_ATOM_KIND_STRING; kind <= (filter & SKIP_SYMBOLS ? JS_ATOM_KIND_STRING : JS_ATOM_KIND_SYMBOL); kind++) {
        for (int i = 0; i < shape->prop_count; i++) {
            const JSShapeProperty *property = get_shape_prop((JSShape *)shape) + i;
            if (is_named(ctx, property, kind, filter))
                JS_DefinePropertyValueUint32(ctx, keys, count++, JS_AtomToValue(ctx, property->atom), JS_PROP_C_W_E);
        }
    }
    return keys;
}

static JSValue pair(JSContext *ctx, JSValue first, JSValue second) {
    JSValue array = JS_NewArray(ctx);
    JS_DefinePropertyValueUint32(ctx, array, 0, first, JS_PROP_C_W_E);
    JS_DefinePropertyValueUint32(ctx, array, 1, second, JS_PROP_C_W_E);
    return array;
}

// promiseDetails(promise): its state (0 pending, 1 fulfilled, 2 rejected) and its result.
static JSValue native_promise_details(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JSPromiseStateEnum state = JS_PromiseState(ctx, argv[0]);
    if (state == JS_PROMISE_NOT_A_PROMISE)
        return JS_UNDEFINED;
    return pair(ctx, JS_NewInt32(ctx, state), JS_PromiseResult(ctx, argv[0]));
}

// proxyDetails(proxy, whole): its target, or that with the handler; null once it is revoked.
static JSValue native_proxy_details(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    if (!JS_IsProxy(argv[0]))
        return JS_UNDEFINED;
    if (((JSProxyData *)JS_GetOpaque(argv[0], JS_CLASS_PROXY))->is_revoked)
        return JS_NULL;
    if (argc > 1 && !JS_ToBool(ctx, argv[1]))
        return JS_GetProxyTarget(ctx, argv[0]);
    return pair(ctx, JS_GetProxyTarget(ctx, argv[0]), JS_GetProxyHandler(ctx, argv[0]));
}

// iteratorEntries(iterator): of one of a map or a set, what it has left, and whether it gives pairs.
static JSValue native_iterator_entries(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JSClassID id = JS_GetClassID(argv[0]);
    if (id != JS_CLASS_MAP_ITERATOR && id != JS_CLASS_SET_ITERATOR)
        return JS_UNDEFINED;
    bool is_map = id == JS_CLASS_MAP_ITERATOR;
    const JSMapIteratorData *iterator = JS_GetOpaque(argv[0], id);
    JSValue list = JS_NewArray(ctx);
    if (iterator && !JS_IsUndefined(iterator->obj)) {
        const JSMapState *state = JS_GetOpaque(iterator->obj, is_map ? JS_CLASS_MAP : JS_CLASS_SET);
        const struct list_head *at = iterator->cur_record ? iterator->cur_record->link.next : state->records.next;
        for (uint32_t count = 0; at != &state->records; at = at->next) {
            const JSMapRecord *record = list_entry(at, JSMapRecord, link);
            if (record->empty)
                continue;
            if (iterator->kind != JS_ITERATOR_KIND_VALUE)
                JS_DefinePropertyValueUint32(ctx, list, count++, JS_DupValue(ctx, record->key), JS_PROP_C_W_E);
            if (iterator->kind != JS_ITERATOR_KIND_KEY)
                JS_DefinePropertyValueUint32(ctx, list, count++, JS_DupValue(ctx, is_map ? record->value : record->key), JS_PROP_C_W_E);
        }
    }
    return pair(ctx, list, JS_NewBool(ctx, iterator && iterator->kind == JS_ITERATOR_KIND_KEY_AND_VALUE));
}

// markHandled(promise): a rejection of it is not reported.
static JSValue native_mark_handled(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JS_PromiseMarkAsHandled(ctx, argv[0]);
    return JS_UNDEFINED;
}

static JSValue list_of_texts(JSContext *ctx, const text_list_t *texts) {
    JSValue array = JS_NewArray(ctx);
    for (uint32_t i = 0; i < texts->length; i++) {
        const wasi_list_t *text = &texts->items[i];
        JS_SetPropertyUint32(ctx, array, i, JS_NewStringLen(ctx, (const char *)text->bytes, text->length));
    }
    return array;
}
