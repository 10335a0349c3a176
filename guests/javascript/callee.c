//! Call sites: which expression of the program gave the value that is not a function or not iterable?
//!
//! Messages name the expression: `a.b(...).c is not a function`. The notation is V8's.

#define DEEPEST_NODE 40
#define OTHER_TEXT "(intermediate value)"

static void put_node(walk_t *w, DynBuf *out, uint32_t index, uint32_t level);

static void put_constant(walk_t *w, DynBuf *out, uint32_t index) {
    JSValueConst value = (int)index < w->b->cpool_count ? w->b->cpool[index] : JS_UNDEFINED;
    if (JS_IsString(value)) {
        dbuf_putc(out, '"');
        put_string(w->ctx, out, value);
        dbuf_putc(out, '"');
    } else if (JS_IsNumber(value) || JS_IsBigInt(value)) {
        put_string(w->ctx, out, value);
    } else {
        dbuf_putstr(out, OTHER_TEXT);
    }
}

static void put_word(DynBuf *out, uint8_t op) {
    dbuf_putstr(out, op == OP_undefined    ? "undefined"
                     : op == OP_null       ? "null"
                     : op == OP_push_false ? "false"
                     : op == OP_push_true  ? "true"
                                           : "this");
}

// The key of `a[key]`: a text is shown as a name.
static void put_key(walk_t *w, DynBuf *out, const node_t *node, uint32_t level) {
    const node_t *key = &w->nodes[node->right];
    bool is_optional = w->nodes[node->left].kind == NODE_OPTIONAL;
    bool is_text = key->kind == NODE_CONSTANT && (int)key->right < w->b->cpool_count && JS_IsString(w->b->cpool[key->right]);
    if (key->kind == NODE_STRING || is_text) {
        dbuf_putstr(out, is_optional ? "?." : ".");
        if (is_text)
            put_string(w->ctx, out, w->b->cpool[key->right]);
        else
            put_name(w->ctx, out, key->right);
        return;
    }
    dbuf_putstr(out, is_optional ? "?.[" : "[");
    put_node(w, out, node->right, level);
    dbuf_putc(out, ']');
}

static void put_items(walk_t *w, DynBuf *out, uint32_t list, uint32_t level) {
    dbuf_putc(out, '[');
    for (bool is_first = true; list; list = w->nodes[list].right, is_first = false) {
        if (!is_first)
            dbuf_putc(out, ',');
        put_node(w, out, w->nodes[list].left, level);
    }
    dbuf_putc(out, ']');
}

static void put_pattern(walk_t *w, DynBuf *out, const node_t *node) {
    const node_t *pattern = &w->nodes[node->left], *compiled = &w->nodes[node->right];
    dbuf_putc(out, '/');
    if (pattern->kind == NODE_STRING)
        put_name(w->ctx, out, pattern->right);
    else if (pattern->kind == NODE_CONSTANT && (int)pattern->right < w->b->cpool_count)
        put_string(w->ctx, out, w->b->cpool[pattern->right]);
    dbuf_putc(out, '/');
    if (compiled->kind != NODE_CONSTANT || (int)compiled->right >= w->b->cpool_count || !JS_IsString(w->b->cpool[compiled->right]))
        return;
    int flags = lre_get_flags(str8(JS_VALUE_GET_STRING(w->b->cpool[compiled->right])));
    static const struct {
        int flag;
        char letter;
    } letters[] = {{LRE_FLAG_INDICES, 'd'}, {LRE_FLAG_GLOBAL, 'g'},  {LRE_FLAG_IGNORECASE, 'i'},   {LRE_FLAG_MULTILINE, 'm'},
                   {LRE_FLAG_DOTALL, 's'},  {LRE_FLAG_UNICODE, 'u'}, {LRE_FLAG_UNICODE_SETS, 'v'}, {LRE_FLAG_STICKY, 'y'}};
    for (size_t i = 0; i < countof(letters); i++)
        if (flags & letters[i].flag)
            dbuf_putc(out, letters[i].letter);
}

static void put_operation(walk_t *w, DynBuf *out, const node_t *node, uint32_t level) {
    dbuf_putc(out, '(');
    if (node->kind == NODE_BINARY) {
        put_node(w, out, node->left, level);
        dbuf_printf(out, " %s ", sign_of(node->op));
        put_node(w, out, node->right, level);
    } else {
        dbuf_putstr(out, sign_of(node->op));
        put_node(w, out, node->left, level);
    }
    dbuf_putc(out, ')');
}

static void put_node(walk_t *w, DynBuf *out, uint32_t index, uint32_t level) {
    const node_t *node = &w->nodes[index];
    if (level++ >= DEEPEST_NODE) {
        dbuf_putstr(out, OTHER_TEXT);
        return;
    }
    switch (node->kind) {
    case NODE_NAME: put_name(w->ctx, out, node->right); break;
    case NODE_NUMBER: dbuf_printf(out, "%d", (int32_t)node->right); break;
    case NODE_CONSTANT: put_constant(w, out, node->right); break;
    case NODE_STRING:
        dbuf_putc(out, '"');
        put_name(w->ctx, out, node->right);
        dbuf_putc(out, '"');
        break;
    case NODE_WORD: put_word(out, node->op); break;
    case NODE_FIELD:
    case NODE_PART:
        put_node(w, out, node->left, level);
        dbuf_putstr(out, w->nodes[node->left].kind == NODE_OPTIONAL ? "?." : ".");
        put_name(w->ctx, out, node->right);
        break;
    case NODE_INDEX:
        put_node(w, out, node->left, level);
        put_key(w, out, node, level);
        break;
    case NODE_CALL:
        put_node(w, out, node->left, level);
        dbuf_putstr(out, "(...)");
        break;
    case NODE_BINARY:
    case NODE_UNARY: put_operation(w, out, node, level); break;
    case NODE_ARRAY: put_items(w, out, node->left, level); break;
    case NODE_OBJECT:
        dbuf_putc(out, '{');
        for (uint32_t i = 0; i < node->right; i++)
            dbuf_putstr(out, OTHER_TEXT);
        dbuf_putc(out, '}');
        break;
    case NODE_PATTERN_TEXT: put_pattern(w, out, node); break;
    case NODE_OPTIONAL: put_node(w, out, node->left, level); break;
    case NODE_CHOICE: dbuf_putstr(out, OTHER_TEXT OTHER_TEXT OTHER_TEXT); break;
    default: dbuf_putstr(out, OTHER_TEXT);
    }
}

// How deep the called value lies where an instruction calls or makes something, or -1.
static int depth_of_callee(const walk_t *w, bool makes) {
    uint8_t op = w->code[w->at];
    uint32_t count = popped_by(w, w->at);
    if (makes)
        return op == OP_call_constructor ? (int)count - 1 : op == OP_apply && get_u16(w->code + w->at + 1) ? 2 : -1;
    switch (op) {
    case OP_call:
    case OP_tail_call:
    case OP_call0:
    case OP_call1:
    case OP_call2:
    case OP_call3:
    case OP_eval: return (int)count - 1;
    case OP_call_method:
    case OP_tail_call_method: return (int)count - 2;
    case OP_apply: return get_u16(w->code + w->at + 1) ? -1 : 2;
    case OP_apply_eval: return 1;
    default: return -1;
    }
}

// `super()` names the class as well.
static void put_super(JSContext *ctx, DynBuf *out, JSValueConst value) {
    // A class that extends null has the prototype of functions above it.
    bool is_null = JS_IsObject(value) && JS_VALUE_GET_PTR(value) == JS_VALUE_GET_PTR(ctx->function_proto);
    dbuf_putstr(out, "Super constructor ");
    put_value(ctx, out, is_null ? JS_NULL : value);
    dbuf_putstr(out, " of ");
    size_t before = out->size;
    put_function_name(ctx, out, ctx->rt->current_stack_frame->cur_func);
    if (out->size == before)
        dbuf_putstr(out, "anonymous class");
}

static void put_callee(JSContext *ctx, DynBuf *out, JSValueConst value, bool makes) {
    walk_t w;
    if (start_walk(ctx, &w)) {
        int depth = depth_of_callee(&w, makes);
        uint32_t node = depth >= 0 ? top(&w, depth) : 0;
        if (makes && w.nodes[node].kind == NODE_SUPER)
            put_super(ctx, out, value);
        else if (depth >= 0)
            put_node(&w, out, node, 0);
        end_walk(&w);
        if (depth >= 0)
            return;
    }
    put_kind(ctx, out, value);
}

static JSValue throw_not_callable(JSContext *ctx, JSValueConst value) {
    DynBuf text;
    js_dbuf_init(ctx, &text);
    put_callee(ctx, &text, value, false);
    dbuf_putstr(&text, " is not a function");
    return throw_text(ctx, JS_TYPE_ERROR, &text);
}

static JSValue throw_not_constructor(JSContext *ctx, JSValueConst value) {
    DynBuf text;
    js_dbuf_init(ctx, &text);
    if (running_code(ctx))
        put_callee(ctx, &text, value, true);
    else
        put_value(ctx, &text, value);
    dbuf_putstr(&text, " is not a constructor");
    return throw_text(ctx, JS_TYPE_ERROR, &text);
}

// The node of the value that a pattern takes apart. Its expression comes later in the code, and jumps back.
static uint32_t source_of_pattern(walk_t *w, uint32_t node) {
    uint32_t entry = w->at, start = entry + size_of_op(w, entry), target;
    int change;
    const node_t found = w->nodes[node];
    if (found.kind == NODE_WORD && found.op == OP_undefined && is_branch(w->code[w->before]) && jump_of(w, w->before, &target, &change))
        start = target;
    else if (found.kind == NODE_ENTRY)
        entry = found.right;
    else
        return node;
    return start < w->length && walk(w, start, 0, entry) ? top(w, 0) : node;
}

static bool is_nullish(JSValueConst value) {
    return JS_IsUndefined(value) || JS_IsNull(value);
}

// Whether an array that grows by `...x` becomes the arguments of a call.
static bool is_spread_of_call(walk_t *w) {
    uint32_t base = w->depth - 3;
    for (uint32_t at = w->at + size_of_op(w, w->at); at < w->length; at += size_of_op(w, at)) {
        uint8_t op = w->code[at];
        if (op == OP_apply || op == OP_apply_eval)
            return w->depths[at] <= base + 3;
        if (w->depths[at] != NO_DEPTH && w->depths[at] <= base)
            return false;
    }
    return false;
}

// Says of which expression it is; false if that cannot be said.
static bool put_iterated(JSContext *ctx, DynBuf *out, JSValueConst value, bool *is_argument) {
    walk_t w;
    *is_argument = false;
    if (!start_walk(ctx, &w))
        return false;
    uint8_t op = w.code[w.at];
    bool is_found = opens_iterator(op) || op == OP_append;
    if (is_found) {
        uint32_t node = top(&w, 0);
        *is_argument = op == OP_append && is_spread_of_call(&w);
        uint32_t source = opens_iterator(op) ? source_of_pattern(&w, node) : node;
        bool is_entry = source != node;
        node = source;
        node_kind_t kind = w.nodes[node].kind;
        if (kind == NODE_ENTRY)
            dbuf_putstr(out, ".for");
        else if (kind == NODE_PART || kind == NODE_OTHER || (is_entry && is_nullish(value) && kind == NODE_FIELD))
            is_found = false;
        else
            put_node(&w, out, node, 0);
    }
    end_walk(&w);
    return is_found;
}

static JSValue throw_not_iterable(JSContext *ctx, JSValueConst value, bool is_async) {
    DynBuf text;
    js_dbuf_init(ctx, &text);
    bool is_argument;
    bool is_known = put_iterated(ctx, &text, value, &is_argument);
    if (is_argument && !is_nullish(value)) {
        text.size = 0;
        dbuf_putstr(&text, "Spread syntax requires ...iterable[Symbol.iterator] to be a function");
        return throw_text(ctx, JS_TYPE_ERROR, &text);
    }
    if (!is_known || is_argument) {
        text.size = 0;
        put_kind(ctx, &text, value);
    }
    dbuf_putstr(&text, is_async ? " is not async iterable" : " is not iterable");
    if (is_argument) {
        dbuf_putstr(&text, " (cannot read property ");
        put_string(ctx, &text, value);
        dbuf_putc(&text, ')');
    } else if (!is_known && !is_async) {
        dbuf_putstr(&text, " (cannot read property Symbol(Symbol.iterator))");
    }
    return throw_text(ctx, JS_TYPE_ERROR, &text);
}

// The first property that a pattern takes, or none.
static JSAtom first_of_pattern(const walk_t *w) {
    for (uint32_t at = w->at + size_of_op(w, w->at); at < w->length; at += size_of_op(w, at)) {
        switch (w->code[at]) {
        case OP_object:
        case OP_swap:
        case OP_null:
        case OP_dup: continue;
        case OP_get_field:
        case OP_get_field2:
        case OP_define_field: return get_u32(w->code + at + 1);
        case OP_get_length: return JS_ATOM_length;
        default: return JS_ATOM_NULL;
        }
    }
    return JS_ATOM_NULL;
}

// A pattern in braces whose value is null or undefined.
static JSValue throw_unpatterned(JSContext *ctx, JSValueConst value) {
    walk_t w;
    if (!start_walk(ctx, &w))
        return throw_no_object(ctx, value);
    DynBuf text;
    js_dbuf_init(ctx, &text);
    JSAtom name = first_of_pattern(&w);
    uint32_t node = source_of_pattern(&w, top(&w, 0));
    node_kind_t kind = w.nodes[node].kind;
    const char *shown = JS_IsNull(value) ? "null" : "undefined";
    if (kind == NODE_PART && name != JS_ATOM_NULL) {
        end_walk(&w);
        dbuf_free(&text);
        return throw_unreadable(ctx, value, name);
    }
    dbuf_putstr(&text, "Cannot destructure ");
    if (name != JS_ATOM_NULL) {
        dbuf_putstr(&text, "property '");
        put_name(ctx, &text, name);
        dbuf_putstr(&text, "' of ");
    }
    dbuf_putc(&text, '\'');
    if (kind == NODE_ENTRY)
        dbuf_putstr(&text, ".for");
    else if (kind == NODE_OTHER)
        put_kind(ctx, &text, value);
    else
        put_node(&w, &text, node, 0);
    dbuf_printf(&text, "' as it is %s.", shown);
    end_walk(&w);
    return throw_text(ctx, JS_TYPE_ERROR, &text);
}
