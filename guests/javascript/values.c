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

static JSValue pair(JSContext *ctx, JSValue first, JSValue second) {
    JSValue array = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, array, 0, first);
    JS_SetPropertyUint32(ctx, array, 1, second);
    return array;
}

// promiseDetails(promise): its state (0 pending, 1 fulfilled, 2 rejected) and its result.
static JSValue native_promise_details(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JSPromiseStateEnum state = JS_PromiseState(ctx, argv[0]);
    if (state == JS_PROMISE_NOT_A_PROMISE)
        return JS_UNDEFINED;
    return pair(ctx, JS_NewInt32(ctx, state), JS_PromiseResult(ctx, argv[0]));
}

// proxyDetails(proxy): target and handler; none once it is revoked.
static JSValue native_proxy_details(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    if (!JS_IsProxy(argv[0]))
        return JS_UNDEFINED;
    if (((JSProxyData *)JS_GetOpaque(argv[0], JS_CLASS_PROXY))->is_revoked)
        return JS_NewArray(ctx);
    return pair(ctx, JS_GetProxyTarget(ctx, argv[0]), JS_GetProxyHandler(ctx, argv[0]));
}

// iteratorEntries(iterator): of one of a map or a set, whether it gives pairs, and what it has left.
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
                JS_SetPropertyUint32(ctx, list, count++, JS_DupValue(ctx, record->key));
            if (iterator->kind != JS_ITERATOR_KIND_KEY)
                JS_SetPropertyUint32(ctx, list, count++, JS_DupValue(ctx, is_map ? record->value : record->key));
        }
    }
    return pair(ctx, JS_NewBool(ctx, iterator && iterator->kind == JS_ITERATOR_KIND_KEY_AND_VALUE), list);
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
