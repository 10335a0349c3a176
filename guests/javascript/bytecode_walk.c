//! Bytecode: which expressions of the program are on the stack of the running function?
//!
//! They are taken from its bytecode, by following what each instruction leaves on the stack, so it costs nothing until an error is thrown,
//! and needs no source text.

typedef enum {
    NODE_OTHER, // V8 says `(intermediate value)`
    NODE_NAME,
    NODE_NUMBER,
    NODE_CONSTANT,
    NODE_STRING,
    NODE_WORD,
    NODE_FIELD,
    NODE_PART, // a field that a pattern takes
    NODE_INDEX,
    NODE_CALL,
    NODE_BINARY,
    NODE_UNARY,
    NODE_POSTFIX,
    NODE_ARRAY,
    NODE_ITEM,
    NODE_OBJECT,
    NODE_PATTERN_TEXT,
    NODE_OPTIONAL,
    NODE_CHOICE,
    NODE_SUPER,
    NODE_ENTRY, // was on the stack when the code was entered from below
} node_kind_t;

// `right` is a node, an atom, a number, or an index of the constants, by kind.
typedef struct {
    uint8_t kind;
    uint8_t op;
    uint32_t left, right;
} node_t;

#define MOST_NODES 4096
#define MOST_JOINS 32
#define LONGEST_CODE (1 << 18)
#define NO_DEPTH UINT16_MAX

// Where two ways meet that leave a value each.
typedef struct {
    uint32_t target;
    uint32_t left; // the first operand, or 0 for a choice of two
    uint8_t op;
} join_t;

typedef struct {
    JSContext *ctx;
    JSFunctionBytecode *b;
    const uint8_t *code;
    uint32_t length;
    uint16_t *depths;  // of the stack before each instruction
    uint32_t *catches; // the innermost handler there, plus one
    node_t *nodes;
    uint32_t count;
    uint32_t *stack;
    uint32_t depth;
    uint32_t at;     // the instruction that was looked for
    uint32_t before; // the one in front of it
    join_t joins[MOST_JOINS];
    uint32_t join_count;
} walk_t;

static uint32_t size_of_op(const walk_t *w, uint32_t at) {
    return short_opcode_info(w->code[at]).size;
}

static uint32_t popped_by(const walk_t *w, uint32_t at) {
    uint8_t op = w->code[at];
    const JSOpCode *info = &short_opcode_info(op);
    uint32_t count = info->n_pop;
    if (info->fmt == OP_FMT_npop || info->fmt == OP_FMT_npop_u16)
        count += get_u16(w->code + at + 1);
    else if (info->fmt == OP_FMT_npopx)
        count += op - OP_call0;
    return count;
}

static bool is_end(uint8_t op) {
    switch (op) {
    case OP_tail_call:
    case OP_tail_call_method:
    case OP_return:
    case OP_return_undef:
    case OP_return_async:
    case OP_throw:
    case OP_throw_error:
    case OP_ret: return true;
    default: return false;
    }
}

static bool is_goto(uint8_t op) {
    return op == OP_goto || op == OP_goto8 || op == OP_goto16;
}

static bool is_branch(uint8_t op) {
    return op == OP_if_true || op == OP_if_false || op == OP_if_true8 || op == OP_if_false8;
}

// Where an instruction jumps to, with the change of depth that goes with it; false if it does not jump.
static bool jump_of(const walk_t *w, uint32_t at, uint32_t *target, int *change) {
    const uint8_t *operand = w->code + at + 1;
    *change = 0;
    switch (w->code[at]) {
    case OP_goto8:
    case OP_if_true8:
    case OP_if_false8: *target = at + 1 + (int8_t)*operand; return true;
    case OP_goto16: *target = at + 1 + (int16_t)get_u16(operand); return true;
    case OP_gosub: *change = 1; *target = at + 1 + get_u32(operand); return true;
    case OP_goto:
    case OP_if_true:
    case OP_if_false:
    case OP_catch: *target = at + 1 + get_u32(operand); return true;
    case OP_with_get_var:
    case OP_with_delete_var: *change = 1; break;
    case OP_with_make_ref:
    case OP_with_get_ref:
    case OP_with_get_ref_undef: *change = 2; break;
    case OP_with_put_var: *change = -1; break;
    default: return false;
    }
    *target = at + 5 + get_u32(operand + 4);
    return true;
}

typedef struct {
    uint32_t *waiting;
    uint32_t count;
} agenda_t;

static void reach(walk_t *w, agenda_t *agenda, uint32_t at, uint32_t depth, uint32_t handler) {
    if (at >= w->length || w->depths[at] != NO_DEPTH || depth >= NO_DEPTH)
        return;
    w->depths[at] = depth;
    w->catches[at] = handler;
    agenda->waiting[agenda->count++] = at;
}

static bool opens_iterator(uint8_t op) {
    return op == OP_for_of_start || op == OP_for_await_of_start;
}

// The handler that is in force after an instruction: it ends where its entry leaves the stack.
static uint32_t handler_after(const walk_t *w, uint32_t at, uint32_t depth, uint32_t handler) {
    uint8_t op = w->code[at];
    if (op == OP_catch || opens_iterator(op))
        return at + 1;
    uint32_t level = op == OP_drop ? depth : op == OP_nip || op == OP_nip1 ? depth - 1 : op == OP_iterator_close ? depth + 2 : UINT32_MAX;
    if (!handler || level == UINT32_MAX)
        return handler;
    uint32_t entry = w->depths[handler - 1] + opens_iterator(w->code[handler - 1]);
    return level == entry ? w->catches[handler - 1] : handler;
}

// Follows every way through the code.
static void find_depths(walk_t *w, uint32_t *waiting) {
    agenda_t agenda = {waiting, 0};
    memset(w->depths, 0xFF, w->length * sizeof *w->depths);
    reach(w, &agenda, 0, 0, 0);
    while (agenda.count) {
        uint32_t at = agenda.waiting[--agenda.count], handler = w->catches[at], target;
        uint8_t op = w->code[at];
        uint32_t depth = w->depths[at] + short_opcode_info(op).n_push - popped_by(w, at);
        int change;
        if (is_end(op))
            continue;
        if (op == OP_nip_catch && handler) {
            depth = w->depths[handler - 1] + opens_iterator(w->code[handler - 1]) + 1;
            handler = w->catches[handler - 1];
        }
        if (jump_of(w, at, &target, &change))
            reach(w, &agenda, target, op == OP_catch ? depth : depth + change, handler);
        if (!is_goto(op))
            reach(w, &agenda, at + size_of_op(w, at), depth, handler_after(w, at, depth, handler));
    }
}

static uint32_t new_node(walk_t *w, node_kind_t kind, uint8_t op, uint32_t left, uint32_t right) {
    if (w->count >= MOST_NODES)
        return 0;
    w->nodes[w->count] = (node_t){kind, op, left, right};
    return w->count++;
}

static uint32_t top(const walk_t *w, uint32_t down) {
    return down < w->depth ? w->stack[w->depth - 1 - down] : 0;
}

static void push(walk_t *w, uint32_t node) {
    if (w->depth < w->b->stack_size)
        w->stack[w->depth++] = node;
}

static void drop(walk_t *w, uint32_t count) {
    w->depth -= count < w->depth ? count : w->depth;
}

static void replace(walk_t *w, uint32_t count, uint32_t node) {
    drop(w, count);
    push(w, node);
}

// Puts the values below the top in another order: each digit is how deep the value lies now, from the bottom of the result.
static void rearrange(walk_t *w, uint32_t count, const char *order) {
    uint32_t held[8];
    uint32_t size = strlen(order);
    for (uint32_t i = 0; i < size; i++)
        held[i] = top(w, order[i] - '0');
    drop(w, count);
    for (uint32_t i = 0; i < size; i++)
        push(w, held[i]);
}

static bool step_order(walk_t *w, uint8_t op) {
    switch (op) {
    case OP_dup: rearrange(w, 1, "00"); return true;
    case OP_dup1: rearrange(w, 2, "110"); return true;
    case OP_dup2: rearrange(w, 2, "1010"); return true;
    case OP_dup3: rearrange(w, 3, "210210"); return true;
    case OP_insert2: rearrange(w, 2, "010"); return true;
    case OP_insert3: rearrange(w, 3, "0210"); return true;
    case OP_insert4: rearrange(w, 4, "03210"); return true;
    case OP_perm3: rearrange(w, 3, "120"); return true;
    case OP_perm4: rearrange(w, 4, "1320"); return true;
    case OP_perm5: rearrange(w, 5, "14320"); return true;
    case OP_swap: rearrange(w, 2, "01"); return true;
    case OP_swap2: rearrange(w, 4, "1032"); return true;
    case OP_rot3l: rearrange(w, 3, "102"); return true;
    case OP_rot3r: rearrange(w, 3, "021"); return true;
    case OP_rot4l: rearrange(w, 4, "2103"); return true;
    case OP_rot5l: rearrange(w, 5, "32104"); return true;
    case OP_nip: rearrange(w, 2, "0"); return true;
    case OP_nip1: rearrange(w, 3, "10"); return true;
    case OP_set_name:
    case OP_to_propkey:
    case OP_to_propkey2:
    case OP_to_object:
    case OP_check_object:
    case OP_nop: return true;
    default: return false;
    }
}

static void push_name(walk_t *w, JSAtom name) {
    push(w, name == JS_ATOM_NULL ? 0 : new_node(w, NODE_NAME, 0, 0, name));
}

static void push_local(walk_t *w, uint32_t index) {
    push_name(w, w->b->vardefs && index < w->b->var_count ? w->b->vardefs[w->b->arg_count + index].var_name : JS_ATOM_NULL);
}

static void push_argument(walk_t *w, uint32_t index) {
    push_name(w, w->b->vardefs && index < w->b->arg_count ? w->b->vardefs[index].var_name : JS_ATOM_NULL);
}

static void push_captured(walk_t *w, uint32_t index) {
    push_name(w, w->b->closure_var && index < w->b->closure_var_count ? w->b->closure_var[index].var_name : JS_ATOM_NULL);
}

static bool step_variable(walk_t *w, uint32_t at) {
    uint8_t op = w->code[at];
    const uint8_t *operand = w->code + at + 1;
    switch (op) {
    case OP_get_var:
    case OP_get_var_undef: push_name(w, get_u32(operand)); return true;
    case OP_get_loc:
    case OP_get_loc_check: push_local(w, get_u16(operand)); return true;
    case OP_get_loc8: push_local(w, *operand); return true;
    case OP_get_loc0:
    case OP_get_loc1:
    case OP_get_loc2:
    case OP_get_loc3: push_local(w, op - OP_get_loc0); return true;
    case OP_get_loc0_loc1:
        push_local(w, 0);
        push_local(w, 1);
        return true;
    case OP_get_arg: push_argument(w, get_u16(operand)); return true;
    case OP_get_arg0:
    case OP_get_arg1:
    case OP_get_arg2:
    case OP_get_arg3: push_argument(w, op - OP_get_arg0); return true;
    case OP_get_var_ref:
    case OP_get_var_ref_check: push_captured(w, get_u16(operand)); return true;
    case OP_get_var_ref0:
    case OP_get_var_ref1:
    case OP_get_var_ref2:
    case OP_get_var_ref3: push_captured(w, op - OP_get_var_ref0); return true;
    default: return false;
    }
}

// A variable that is written and kept is called by its name.
static bool step_kept(walk_t *w, uint32_t at) {
    uint8_t op = w->code[at];
    const uint8_t *operand = w->code + at + 1;
    uint32_t value = top(w, 0);
    drop(w, 1);
    switch (op) {
    case OP_set_loc: push_local(w, get_u16(operand)); return true;
    case OP_set_loc8: push_local(w, *operand); return true;
    case OP_set_loc0:
    case OP_set_loc1:
    case OP_set_loc2:
    case OP_set_loc3: push_local(w, op - OP_set_loc0); return true;
    case OP_set_arg: push_argument(w, get_u16(operand)); return true;
    case OP_set_arg0:
    case OP_set_arg1:
    case OP_set_arg2:
    case OP_set_arg3: push_argument(w, op - OP_set_arg0); return true;
    case OP_set_var_ref: push_captured(w, get_u16(operand)); return true;
    case OP_set_var_ref0:
    case OP_set_var_ref1:
    case OP_set_var_ref2:
    case OP_set_var_ref3: push_captured(w, op - OP_set_var_ref0); return true;
    default: push(w, value); return false;
    }
}

static bool step_literal(walk_t *w, uint32_t at) {
    uint8_t op = w->code[at];
    const uint8_t *operand = w->code + at + 1;
    switch (op) {
    case OP_push_i32: push(w, new_node(w, NODE_NUMBER, 0, 0, get_u32(operand))); return true;
    case OP_push_bigint_i32: push(w, new_node(w, NODE_NUMBER, 0, 0, get_u32(operand))); return true;
    case OP_push_i8: push(w, new_node(w, NODE_NUMBER, 0, 0, (int8_t)*operand)); return true;
    case OP_push_i16: push(w, new_node(w, NODE_NUMBER, 0, 0, (int16_t)get_u16(operand))); return true;
    case OP_push_minus1: push(w, new_node(w, NODE_NUMBER, 0, 0, -1)); return true;
    case OP_push_0:
    case OP_push_1:
    case OP_push_2:
    case OP_push_3:
    case OP_push_4:
    case OP_push_5:
    case OP_push_6:
    case OP_push_7: push(w, new_node(w, NODE_NUMBER, 0, 0, op - OP_push_0)); return true;
    case OP_push_const: push(w, new_node(w, NODE_CONSTANT, 0, 0, get_u32(operand))); return true;
    case OP_push_const8: push(w, new_node(w, NODE_CONSTANT, 0, 0, *operand)); return true;
    case OP_private_symbol:
    case OP_push_atom_value:
        push(w, new_node(w, op == OP_private_symbol ? NODE_NAME : NODE_STRING, 0, 0, get_u32(operand)));
        return true;
    case OP_push_empty_string: push(w, new_node(w, NODE_STRING, 0, 0, JS_ATOM_empty_string)); return true;
    case OP_undefined:
    case OP_null:
    case OP_push_false:
    case OP_push_true:
    case OP_push_this: push(w, new_node(w, NODE_WORD, op, 0, 0)); return true;
    case OP_object: push(w, new_node(w, NODE_OBJECT, 0, 0, 0)); return true;
    case OP_regexp: replace(w, 2, new_node(w, NODE_PATTERN_TEXT, 0, top(w, 1), top(w, 0))); return true;
    default: return false;
    }
}

static uint32_t items_of(walk_t *w, uint32_t count) {
    uint32_t list = 0;
    for (uint32_t i = 0; i < count; i++)
        list = new_node(w, NODE_ITEM, 0, top(w, i), list);
    return list;
}

static bool step_access(walk_t *w, uint32_t at) {
    uint8_t op = w->code[at];
    const uint8_t *operand = w->code + at + 1;
    uint32_t count;
    switch (op) {
    case OP_get_field: replace(w, 1, new_node(w, NODE_FIELD, 0, top(w, 0), get_u32(operand))); return true;
    case OP_get_field2: push(w, new_node(w, NODE_PART, 0, top(w, 0), get_u32(operand))); return true;
    case OP_get_length: replace(w, 1, new_node(w, NODE_FIELD, 0, top(w, 0), JS_ATOM_length)); return true;
    case OP_get_private_field:
    case OP_get_array_el: replace(w, 2, new_node(w, NODE_INDEX, 0, top(w, 1), top(w, 0))); return true;
    case OP_get_array_el2: replace(w, 1, new_node(w, NODE_INDEX, 0, top(w, 1), top(w, 0))); return true;
    case OP_get_super_value: replace(w, 3, new_node(w, NODE_INDEX, 0, 0, top(w, 0))); return true;
    case OP_get_super: replace(w, 1, new_node(w, NODE_SUPER, 0, 0, 0)); return true;
    case OP_array_from:
        count = get_u16(operand);
        replace(w, count, new_node(w, NODE_ARRAY, 0, items_of(w, count), 0));
        return true;
    case OP_define_field:
        count = w->nodes[top(w, 1)].right;
        replace(w, 2, w->nodes[top(w, 1)].kind == NODE_OBJECT ? new_node(w, NODE_OBJECT, 0, 0, count + 1) : 0);
        return true;
    case OP_call:
    case OP_call0:
    case OP_call1:
    case OP_call2:
    case OP_call3:
    case OP_eval:
    case OP_call_method:
        count = popped_by(w, at);
        replace(w, count, new_node(w, NODE_CALL, 0, top(w, op == OP_call_method ? count - 2 : count - 1), 0));
        return true;
    case OP_apply: replace(w, 3, get_u16(operand) ? 0 : new_node(w, NODE_CALL, 0, top(w, 2), 0)); return true;
    case OP_for_of_next: push(w, 0); push(w, 0); return true;
    default: return false;
    }
}

static const char *sign_of(uint8_t op) {
    switch (op) {
    case OP_mul: return "*";
    case OP_div: return "/";
    case OP_mod: return "%";
    case OP_add: return "+";
    case OP_sub: return "-";
    case OP_shl: return "<<";
    case OP_sar: return ">>";
    case OP_shr: return ">>>";
    case OP_and: return "&";
    case OP_xor: return "^";
    case OP_or: return "|";
    case OP_pow: return "**";
    case OP_lt: return "<";
    case OP_lte: return "<=";
    case OP_gt: return ">";
    case OP_gte: return ">=";
    case OP_instanceof: return "instanceof";
    case OP_in: return "in";
    case OP_eq: return "==";
    case OP_neq: return "!=";
    case OP_strict_eq: return "===";
    case OP_strict_neq: return "!==";
    case OP_if_false: return "&&";
    case OP_if_true: return "||";
    case OP_is_undefined_or_null: return "??";
    case OP_neg: return "-";
    case OP_plus: return "+";
    case OP_not: return "~";
    case OP_lnot: return "!";
    case OP_typeof: return "typeof ";
    default: return NULL;
    }
}

static bool step_operator(walk_t *w, uint8_t op) {
    bool is_unary = op == OP_neg || op == OP_plus || op == OP_not || op == OP_lnot || op == OP_typeof;
    if (is_unary) {
        replace(w, 1, new_node(w, NODE_UNARY, op, top(w, 0), 0));
        return true;
    }
    if (op != OP_is_undefined_or_null && op < OP_nop && op != OP_if_false && op != OP_if_true && sign_of(op)) {
        replace(w, 2, new_node(w, NODE_BINARY, op, top(w, 1), top(w, 0)));
        return true;
    }
    return false;
}

static void add_join(walk_t *w, uint32_t target, uint32_t left, uint8_t op) {
    if (w->join_count < MOST_JOINS)
        w->joins[w->join_count++] = (join_t){target, left, op};
}

// `a?.b` drops `a` and leaves the chain. Gives the place behind that, or 0.
static uint32_t end_of_optional(const walk_t *w, uint32_t after, uint32_t target) {
    while (after < target && w->code[after] == OP_drop)
        after++;
    bool is_left = after < target && w->code[after] == OP_return_undef;
    if (after < target && w->code[after] == OP_undefined) {
        after++;
        is_left = is_goto(w->code[after]) || is_end(w->code[after]);
        // What becomes of the value may be done here as well.
        for (int i = 0; !is_left && i < 3 && after < target; i++) {
            after += size_of_op(w, after);
            is_left = is_goto(w->code[after]) || is_end(w->code[after]);
        }
    }
    return is_left && after + size_of_op(w, after) == target ? target : 0;
}

// A branch on a copy of the value keeps the value: `a && b`, `a ?? b`, `a?.b`. Gives where to go on.
static uint32_t step_branch(walk_t *w, uint32_t at, uint32_t before, uint32_t earlier) {
    uint32_t after = at + size_of_op(w, at), target;
    int change;
    jump_of(w, at, &target, &change);
    drop(w, 1);
    uint8_t op = w->code[at];
    bool is_null_test = w->code[before] == OP_is_undefined_or_null && w->code[earlier] == OP_dup;
    uint32_t end = is_null_test && target > after ? end_of_optional(w, after, target) : 0;
    if (end) {
        replace(w, 1, new_node(w, NODE_OPTIONAL, 0, top(w, 0), 0));
        return end;
    }
    if (target > after && after < w->length && w->code[after] == OP_drop && (is_null_test || w->code[before] == OP_dup)) {
        uint8_t sign = is_null_test ? OP_is_undefined_or_null : op == OP_if_false || op == OP_if_false8 ? OP_if_false : OP_if_true;
        add_join(w, target, top(w, 0), sign);
    }
    return after;
}

// The stack as it is where an instruction is entered, perhaps from elsewhere than the one before.
static void enter(walk_t *w, uint32_t at) {
    uint32_t depth = w->depths[at];
    if (w->depth > depth)
        w->depth = depth;
    while (w->depth < depth) {
        uint32_t before = w->depth;
        push(w, new_node(w, NODE_ENTRY, 0, 0, at));
        if (w->depth == before)
            break;
    }
    if (!depth) {
        w->count = 1;
        w->join_count = 0;
    }
    for (uint32_t i = 0; i < w->join_count; i++) {
        join_t join = w->joins[i];
        if (join.target != at || !w->depth)
            continue;
        uint32_t node = join.left ? new_node(w, NODE_BINARY, join.op, join.left, top(w, 0)) : new_node(w, NODE_CHOICE, 0, 0, 0);
        replace(w, 1, node);
        w->joins[i].target = 0;
    }
}

// The value of `c ? a : b` is there where its two ways meet.
static void step_goto(walk_t *w, uint32_t at) {
    uint32_t after = at + size_of_op(w, at), target;
    int change;
    jump_of(w, at, &target, &change);
    if (target > after && after < w->length && w->depths[after] != NO_DEPTH && w->depths[after] + 1 == (int)w->depth)
        add_join(w, target, 0, 0);
}

static void step(walk_t *w, uint32_t at) {
    uint8_t op = w->code[at];
    bool is_known = step_order(w, op) || step_variable(w, at) || step_literal(w, at) || step_access(w, at) || step_operator(w, op) ||
                    (w->depth && step_kept(w, at));
    if (is_known)
        return;
    drop(w, popped_by(w, at));
    for (uint32_t i = 0; i < short_opcode_info(op).n_push; i++)
        push(w, 0);
}

// Follows the code in its order up to the instruction that ends at `end`, which is not followed; false if there is none. With an end of
// zero it goes on to the jump back to `entry`.
static bool walk(walk_t *w, uint32_t start, uint32_t end, uint32_t entry) {
    uint32_t before = start, earlier = start;
    for (uint32_t at = start, next; at < w->length; earlier = before, before = at, at = next) {
        uint8_t op = w->code[at];
        next = at + size_of_op(w, at);
        if (w->depths[at] == NO_DEPTH)
            continue;
        enter(w, at);
        w->at = at;
        w->before = before;
        uint32_t target;
        int change;
        if (end ? next == end : is_goto(op) && jump_of(w, at, &target, &change) && target == entry)
            return true;
        if (end && at >= end)
            return false;
        if (is_branch(op))
            next = step_branch(w, at, before, earlier);
        else if (is_goto(op))
            step_goto(w, at);
        else
            step(w, at);
    }
    return false;
}

static void end_walk(walk_t *w) {
    js_free(w->ctx, w->depths);
    js_free(w->ctx, w->catches);
    js_free(w->ctx, w->nodes);
    js_free(w->ctx, w->stack);
}

// Walks to the instruction that the running function does. False if it is none of the program's, or too long; nothing is to be freed then.
static bool start_walk(JSContext *ctx, walk_t *w) {
    JSFunctionBytecode *b = running_code(ctx);
    JSStackFrame *frame = ctx->rt->current_stack_frame;
    if (!b || !frame->cur_pc || b->byte_code_len > LONGEST_CODE)
        return false;
    *w = (walk_t){.ctx = ctx, .b = b, .code = b->byte_code_buf, .length = b->byte_code_len};
    w->depths = js_malloc_rt(ctx->rt, w->length * sizeof *w->depths);
    w->catches = js_malloc_rt(ctx->rt, w->length * sizeof *w->catches);
    w->nodes = js_malloc_rt(ctx->rt, MOST_NODES * sizeof *w->nodes);
    w->stack = js_malloc_rt(ctx->rt, (b->stack_size + 1) * sizeof *w->stack);
    uint32_t *waiting = js_malloc_rt(ctx->rt, w->length * sizeof *waiting);
    bool is_found = false;
    if (w->depths && w->catches && w->nodes && w->stack && waiting) {
        find_depths(w, waiting);
        w->nodes[0] = (node_t){NODE_OTHER, 0, 0, 0};
        w->count = 1;
        is_found = walk(w, 0, frame->cur_pc - w->code, 0);
    }
    js_free(ctx, waiting);
    if (!is_found)
        end_walk(w);
    return is_found;
}

