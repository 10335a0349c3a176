//! Messages of errors: what does an error of the engine say?
//!
//! Programs print these messages and compare them, so they are those of V8. A value is shown without running any code of the program: only
//! data properties are read, and no proxy is asked.

static JSProperty *own_data(JSContext *ctx, JSObject *object, JSAtom name) {
    JSProperty *property;
    JSShapeProperty *shape = find_own_property(&property, object, name);
    if (shape && (shape->flags & JS_PROP_TMASK) == JS_PROP_AUTOINIT) {
        // A built-in function that nothing has asked for yet.
        if (JS_AutoInitProperty(ctx, object, name, property, shape)) {
            JS_FreeValue(ctx, JS_GetException(ctx));
            return NULL;
        }
        shape = find_own_property(&property, object, name);
    }
    return shape && (shape->flags & JS_PROP_TMASK) == JS_PROP_NORMAL ? property : NULL;
}

// How far a chain of prototypes is followed.
#define LONGEST_CHAIN 100

// A data property of the object or its prototypes, borrowed; undefined if there is none.
static JSValueConst data_of(JSContext *ctx, JSValueConst value, JSAtom name) {
    JSObject *object = JS_VALUE_GET_OBJ(value);
    for (int i = 0; object && i < LONGEST_CHAIN; i++) {
        if (object->class_id == JS_CLASS_PROXY)
            break;
        JSProperty *property = own_data(ctx, object, name);
        if (property)
            return property->u.value;
        object = object->shape->proto;
    }
    return JS_UNDEFINED;
}

static void put_string(JSContext *ctx, DynBuf *out, JSValueConst string) {
    size_t length;
    const char *text = JS_ToCStringLen(ctx, &length, string);
    if (!text) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return;
    }
    dbuf_put(out, (const uint8_t *)text, length);
    JS_FreeCString(ctx, text);
}

static bool is_symbol_atom(JSContext *ctx, JSAtom name) {
    return !__JS_AtomIsTaggedInt(name) && JS_AtomGetKind(ctx, name) == JS_ATOM_KIND_SYMBOL;
}

static void put_name(JSContext *ctx, DynBuf *out, JSAtom name) {
    bool is_symbol = is_symbol_atom(ctx, name);
    const char *text = JS_AtomToCString(ctx, name);
    if (!text) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return;
    }
    if (is_symbol)
        dbuf_putstr(out, "Symbol(");
    dbuf_putstr(out, text);
    if (is_symbol)
        dbuf_putc(out, ')');
    JS_FreeCString(ctx, text);
}

// The function's name, or nothing.
static void put_function_name(JSContext *ctx, DynBuf *out, JSValueConst function) {
    JSProperty *property = JS_IsObject(function) ? own_data(ctx, JS_VALUE_GET_OBJ(function), JS_ATOM_name) : NULL;
    if (property && JS_IsString(property->u.value))
        put_string(ctx, out, property->u.value);
}

// The source text of a function; a class of the engine is its name.
static void put_function(JSContext *ctx, DynBuf *out, JSValueConst function) {
    JSFunctionBytecode *code = JS_GetFunctionBytecode(function);
    if (code && code->source) {
        dbuf_put(out, (const uint8_t *)code->source, code->source_len);
        return;
    }
    dbuf_putstr(out, "function ");
    put_function_name(ctx, out, function);
    dbuf_putstr(out, "() { [native code] }");
}

static bool is_native(JSValueConst function, JSCFunction *native) {
    if (!JS_IsObject(function))
        return false;
    const JSObject *object = JS_VALUE_GET_OBJ(function);
    return object->class_id == JS_CLASS_C_FUNCTION && object->u.cfunc.c_function.generic == native;
}

static void put_error(JSContext *ctx, DynBuf *out, JSValueConst error) {
    JSValueConst name = data_of(ctx, error, JS_ATOM_name), message = data_of(ctx, error, JS_ATOM_message);
    bool is_empty = JS_VALUE_GET_TAG(message) == JS_TAG_STRING && JS_VALUE_GET_STRING(message)->len == 0;
    bool has_message = JS_IsString(message) && !is_empty;
    if (JS_IsString(name))
        put_string(ctx, out, name);
    else
        dbuf_putstr(out, "Error");
    if (has_message) {
        dbuf_putstr(out, ": ");
        put_string(ctx, out, message);
    }
}

static const char *class_tag(JSContext *ctx, JSValueConst object) {
    switch (JS_VALUE_GET_OBJ(object)->class_id) {
    case JS_CLASS_ARRAY: return "Array";
    case JS_CLASS_DATE: return "Date";
    case JS_CLASS_REGEXP: return "RegExp";
    case JS_CLASS_NUMBER: return "Number";
    case JS_CLASS_STRING: return "String";
    case JS_CLASS_BOOLEAN: return "Boolean";
    default: return "Object";
    }
}

static void put_object(JSContext *ctx, DynBuf *out, JSValueConst object) {
    if (JS_IsProxy(object)) {
        dbuf_putstr(out, "#<Object>");
        return;
    }
    if (is_native(data_of(ctx, object, JS_ATOM_toString), js_object_toString)) {
        JSValueConst constructor = data_of(ctx, object, JS_ATOM_constructor);
        size_t before = out->size;
        dbuf_putstr(out, "#<");
        size_t start = out->size;
        put_function_name(ctx, out, constructor);
        if (out->size > start) {
            dbuf_putc(out, '>');
            return;
        }
        out->size = before;
    }
    dbuf_putstr(out, "[object ");
    JSValueConst tag = data_of(ctx, object, JS_ATOM_Symbol_toStringTag);
    if (JS_IsString(tag))
        put_string(ctx, out, tag);
    else
        dbuf_putstr(out, class_tag(ctx, object));
    dbuf_putc(out, ']');
}

static void put_value(JSContext *ctx, DynBuf *out, JSValueConst value) {
    if (JS_IsSymbol(value)) {
        JSAtom name = js_symbol_to_atom(ctx, JS_DupValue(ctx, value));
        put_name(ctx, out, name);
        JS_FreeAtom(ctx, name);
    } else if (!JS_IsObject(value)) {
        put_string(ctx, out, value);
    } else if (!JS_IsProxy(value) && JS_IsFunction(ctx, value)) {
        put_function(ctx, out, value);
    } else if (JS_IsError(value)) {
        put_error(ctx, out, value);
    } else {
        put_object(ctx, out, value);
    }
}

// What stands for an expression of which nothing is known but its value.
static void put_kind(JSContext *ctx, DynBuf *out, JSValueConst value) {
    const char *kind = JS_IsFunction(ctx, value)    ? "function"
                       : JS_IsUndefined(value)      ? "undefined"
                       : JS_IsBool(value)           ? "boolean"
                       : JS_IsString(value)         ? "string"
                       : JS_IsSymbol(value)         ? "symbol"
                       : JS_IsBigInt(value)         ? "bigint"
                       : JS_IsNumber(value)         ? "number"
                                                    : "object";
    dbuf_putstr(out, kind);
    if (JS_IsString(value)) {
        dbuf_putstr(out, " \"");
        put_string(ctx, out, value);
        dbuf_putc(out, '"');
    } else if (JS_IsNull(value) || JS_IsBool(value) || JS_IsNumber(value)) {
        dbuf_putc(out, ' ');
        put_string(ctx, out, value);
    }
}

static void put_format(JSContext *ctx, DynBuf *out, const char *format, va_list list) {
    for (const char *at = format; *at; at++) {
        if (*at != '%') {
            dbuf_putc(out, *at);
            continue;
        }
        switch (*++at) {
        case 's': dbuf_putstr(out, va_arg(list, const char *)); break;
        case 'd': dbuf_printf(out, "%d", va_arg(list, int)); break;
        case 'a': put_name(ctx, out, va_arg(list, JSAtom)); break;
        case 'v': put_value(ctx, out, va_arg(list, JSValueConst)); break;
        case 'f': put_function_name(ctx, out, va_arg(list, JSValueConst)); break;
        default: dbuf_putc(out, *at);
        }
    }
}

static JSFunctionBytecode *running_code(JSContext *ctx) {
    JSStackFrame *frame = ctx->rt->current_stack_frame;
    return frame ? JS_GetFunctionBytecode(frame->cur_func) : NULL;
}

// Whether a function of the program runs, and not one of the engine.
static bool runs_program(JSContext *ctx) {
    return running_code(ctx) != NULL;
}

// Takes the text.
static JSValue throw_text(JSContext *ctx, int kind, DynBuf *text) {
    dbuf_putc(text, 0);
    if (dbuf_error(text)) {
        dbuf_free(text);
        return JS_ThrowOutOfMemory(ctx);
    }
    // A function of the program adds the frames itself, when it is left.
    JSValue error = JS_MakeError2(ctx, kind, !ctx->rt->in_out_of_memory && !running_code(ctx), (const char *)text->buf);
    dbuf_free(text);
    return JS_Throw(ctx, JS_IsException(error) ? JS_NULL : error);
}

static JSValue throw_message(JSContext *ctx, int kind, const char *format, ...) {
    DynBuf text;
    js_dbuf_init(ctx, &text);
    va_list list;
    va_start(list, format);
    put_format(ctx, &text, format, list);
    va_end(list);
    return throw_text(ctx, kind, &text);
}

static bool is_refused_loudly(JSContext *ctx, int flags) {
    return flags & JS_PROP_THROW || (flags & JS_PROP_THROW_STRICT && is_strict_mode(ctx));
}

static int refuse(JSContext *ctx, int flags, const char *format, ...) {
    if (!is_refused_loudly(ctx, flags))
        return false;
    DynBuf text;
    js_dbuf_init(ctx, &text);
    va_list list;
    va_start(list, format);
    put_format(ctx, &text, format, list);
    va_end(list);
    throw_text(ctx, JS_TYPE_ERROR, &text);
    return -1;
}

static int refuse_read_only(JSContext *ctx, int flags, JSValueConst holder, JSAtom name) {
    if (JS_IsObject(holder))
        return refuse(ctx, flags, "Cannot assign to read only property '%a' of object '%v'", name, holder);
    const char *kind = JS_IsString(holder) ? "string" : JS_IsNumber(holder) ? "number" : JS_IsBool(holder) ? "boolean" : "object";
    return refuse(ctx, flags, "Cannot assign to read only property '%a' of %s '%v'", name, kind, holder);
}

static JSValue throw_unreadable(JSContext *ctx, JSValueConst holder, JSAtom name) {
    const char *kind = JS_IsNull(holder) ? "null" : "undefined";
    if (name == JS_ATOM_Symbol_iterator)
        return throw_message(ctx, JS_TYPE_ERROR, "%s is not iterable (cannot read property Symbol(Symbol.iterator))", kind);
    return throw_message(ctx, JS_TYPE_ERROR, "Cannot read properties of %s (reading '%a')", kind, name);
}

// The built-in function that runs.
static JSValueConst running_native(JSContext *ctx) {
    JSStackFrame *frame = ctx->rt->current_stack_frame;
    return frame && !JS_GetFunctionBytecode(frame->cur_func) ? (JSValueConst)frame->cur_func : JS_UNDEFINED;
}

// `holder` is the class; the function is a method of its prototype.
static JSValue throw_incompatible(JSContext *ctx, const char *holder, JSValueConst receiver) {
    DynBuf name;
    js_dbuf_init(ctx, &name);
    put_function_name(ctx, &name, running_native(ctx));
    dbuf_putc(&name, 0);
    const char *method = dbuf_error(&name) ? "" : (const char *)name.buf;
    bool is_getter = !strncmp(method, "get ", 4);
    JSValue result = throw_message(ctx, JS_TYPE_ERROR, "Method %s%s.prototype.%s called on incompatible receiver %v", is_getter ? "get " : "",
                                   holder, method + 4 * is_getter, receiver);
    dbuf_free(&name);
    return result;
}

static void throw_incompatible_class(JSContext *ctx, JSClassID class_id, JSValueConst receiver) {
    char name[ATOM_GET_STR_BUF_SIZE];
    throw_incompatible(ctx, JS_AtomGetStr(ctx, name, sizeof(name), ctx->rt->class_array[class_id].class_name), receiver);
}

static JSValue throw_wrong_this(JSContext *ctx, const char *class_name) {
    return throw_message(ctx, JS_TYPE_ERROR, "%s.prototype.%f requires that 'this' be a %s", class_name, running_native(ctx), class_name);
}

static bool is_method_of(JSContext *ctx, JSValueConst function, JSValueConst prototype) {
    if (!JS_IsObject(function))
        return false;
    JSProperty *name = own_data(ctx, JS_VALUE_GET_OBJ(function), JS_ATOM_name);
    if (!name || !JS_IsString(name->u.value))
        return false;
    JSAtom atom = JS_ValueToAtom(ctx, name->u.value);
    JSProperty *method = own_data(ctx, JS_VALUE_GET_OBJ(prototype), atom);
    JS_FreeAtom(ctx, atom);
    return method && JS_IsObject(method->u.value) && JS_VALUE_GET_OBJ(method->u.value) == JS_VALUE_GET_OBJ(function);
}

// Where an object is wanted, and the value is null or undefined.
static JSValue throw_no_object(JSContext *ctx, JSValueConst value) {
    JSValueConst function = running_native(ctx);
    const char *holder = is_method_of(ctx, function, ctx->class_proto[JS_CLASS_ARRAY])    ? "Array"
                         : is_method_of(ctx, function, ctx->class_proto[JS_CLASS_STRING]) ? "String"
                                                                                          : NULL;
    if (holder)
        return throw_message(ctx, JS_TYPE_ERROR, "%s.prototype.%f called on null or undefined", holder, function);
    return throw_message(ctx, JS_TYPE_ERROR, "Cannot convert undefined or null to object");
}

static int refuse_redeclaration(void *parser, JSAtom name) {
    char text[ATOM_GET_STR_BUF_SIZE];
    JSParseState *state = parser;
    JS_AtomGetStr(state->ctx, text, sizeof text, name);
    return js_parse_error(state, "Identifier '%s' has already been declared", text);
}

// Where a class of the engine is called like a function.
static JSValue throw_without_new(JSContext *ctx, JSValueConst constructor) {
    bool is_promise = is_native(constructor, (JSCFunction *)js_promise_constructor);
    const char *format = is_promise ? "%f constructor cannot be invoked without 'new'" : "Constructor %f requires 'new'";
    return throw_message(ctx, JS_TYPE_ERROR, format, constructor);
}

// The flags of `new RegExp`, or those in the program's text.
static JSValue throw_bad_flags(JSContext *ctx, JSValueConst flags) {
    JSValueConst function = running_native(ctx);
    bool is_constructor = JS_IsObject(function) && JS_VALUE_GET_PTR(function) == JS_VALUE_GET_PTR(ctx->regexp_ctor);
    if (is_constructor)
        return throw_message(ctx, JS_SYNTAX_ERROR, "Invalid flags supplied to RegExp constructor '%v'", flags);
    return throw_message(ctx, JS_SYNTAX_ERROR, "Invalid regular expression flags");
}

// A number that cannot be a length, or a place in a view.
static void throw_bad_index(JSContext *ctx, JSValueConst value) {
    JSValueConst function = running_native(ctx);
    DynBuf name;
    js_dbuf_init(ctx, &name);
    put_function_name(ctx, &name, function);
    dbuf_putc(&name, 0);
    const char *text = dbuf_error(&name) ? "" : (const char *)name.buf;
    if (!strcmp(text, "ArrayBuffer"))
        throw_message(ctx, JS_RANGE_ERROR, "Invalid array buffer length");
    else if (strstr(text, "Array"))
        throw_message(ctx, JS_RANGE_ERROR, "Invalid typed array length: %v", value);
    else if (!strcmp(text, "DataView"))
        throw_message(ctx, JS_RANGE_ERROR, "Start offset %v is outside the bounds of the buffer", value);
    else if (!strncmp(text, "get", 3) || !strncmp(text, "set", 3))
        throw_message(ctx, JS_RANGE_ERROR, "Offset is outside the bounds of the DataView");
    else
        throw_message(ctx, JS_RANGE_ERROR, "Invalid value: not (convertible to) a safe integer");
    dbuf_free(&name);
}

// The start of a view of a buffer; `size` is that of its elements where the offset must be a multiple of it.
static JSValue throw_bad_offset(JSContext *ctx, JSValueConst constructor, JSValueConst offset, int size) {
    if (size)
        return throw_message(ctx, JS_RANGE_ERROR, "start offset of %f should be a multiple of %d", constructor, size);
    return throw_message(ctx, JS_RANGE_ERROR, "Start offset %v is outside the bounds of the buffer", offset);
}

static int refuse_label(void *parser, JSAtom name) {
    char text[ATOM_GET_STR_BUF_SIZE];
    JSParseState *state = parser;
    JS_AtomGetStr(state->ctx, text, sizeof text, name);
    return js_parse_error(state, "Undefined label '%s'", text);
}

// Words that are reserved in strict code, which begins with `implements` among the engine's atoms.
static bool is_strict_word(JSAtom name) {
    return (name >= JS_ATOM_implements && name <= JS_ATOM_yield) || name == JS_ATOM_let;
}

// Whether the word in front of the token is `await`, which is a name there.
static bool follows_await(const JSParseState *state) {
    return state->last_ptr - state->buf_start >= 5 && !memcmp(state->last_ptr - 5, "await", 5);
}

static int refuse_word(JSParseState *state) {
    char text[ATOM_GET_STR_BUF_SIZE];
    JSAtom name = state->token.u.ident.atom;
    JS_AtomGetStr(state->ctx, text, sizeof text, name);
    if (state->token.u.ident.is_reserved && is_strict_word(name))
        return js_parse_error(state, "Unexpected strict mode reserved word");
    if (state->token.u.ident.is_reserved)
        return js_parse_error(state, "Unexpected reserved word");
    return js_parse_error(state, "Unexpected identifier '%s'", text);
}

// A token that cannot be where it is.
static int refuse_token(void *parser) {
    JSParseState *state = parser;
    if (follows_await(state))
        return js_parse_error(state, "await is only valid in async functions and the top level bodies of modules");
    switch (state->token.val) {
    case TOK_EOF: return js_parse_error(state, "Unexpected end of input");
    case TOK_NUMBER: return js_parse_error(state, "Unexpected number");
    case TOK_STRING: return js_parse_error(state, "Unexpected string");
    case TOK_TEMPLATE: return js_parse_error(state, "Unexpected template string");
    case TOK_REGEXP: return js_parse_error(state, "Unexpected regular expression");
    case TOK_ERROR: return js_parse_error(state, "Invalid or unexpected token");
    case TOK_IDENT: return refuse_word(state);
    case TOK_LET: return js_parse_error(state, "Unexpected identifier 'let'");
    case TOK_ENUM: return js_parse_error(state, "Unexpected reserved word");
    case '@':
    case '#':
    case '\\': return js_parse_error(state, "Invalid or unexpected token");
    default: return js_parse_error(state, "Unexpected token '%.*s'", (int)(state->buf_ptr - state->token.ptr), (const char *)state->token.ptr);
    }
}
