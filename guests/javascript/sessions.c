//! Sessions: how may one evaluation declare again what an earlier one declared, and what does it keep of a module?
//!
//! The engine takes all scripts of a context for parts of one program, in which a second `let x` is an error. In a session each evaluation
//! is a corrected or repeated text, so its declarations replace the earlier ones, as in the console of a browser. Within one text the
//! parser still refuses a second declaration.

// True once a program was evaluated; a first one has nothing to replace.
static bool has_evaluated;

// Removes a variable from an object of the engine that holds variables, even one that `delete` would leave. True if it is gone.
static bool remove_variable(JSValueConst holder, JSAtom name) {
    JSObject *object = JS_VALUE_GET_OBJ(holder);
    JSShapeProperty *shape = find_own_property1(object, name);
    if (!shape)
        return true;
    if (!(shape->flags & JS_PROP_CONFIGURABLE)) {
        // Only what `var` or `function` declared: constants of the language stay.
        if ((shape->flags & (JS_PROP_TMASK | JS_PROP_WRITABLE)) != JS_PROP_WRITABLE)
            return false;
        if (js_shape_prepare_update(context, object, &shape))
            return false;
        shape->flags |= JS_PROP_CONFIGURABLE;
    }
    return delete_property(context, object, name) > 0;
}

static bool is_kept_variable(JSAtom name) {
    JSShapeProperty *shape = find_own_property1(JS_VALUE_GET_OBJ(context->global_obj), name);
    return shape && (shape->flags & JS_PROP_TMASK) == JS_PROP_VARREF;
}

static bool is_fixed_global(JSAtom name) {
    JSShapeProperty *shape = find_own_property1(JS_VALUE_GET_OBJ(context->global_obj), name);
    return shape && !(shape->flags & JS_PROP_CONFIGURABLE);
}

// What a script is about to declare takes the place of what earlier evaluations declared.
static void replace_variable(JSAtom name, bool is_lexical) {
    remove_variable(context->global_var_obj, name);
    if (is_kept_variable(name) || (is_lexical && is_fixed_global(name)))
        remove_variable(context->global_obj, name);
}

// A script checks all the names that it declares before it runs; these instructions follow one another.
static void replace_variables(JSValueConst compiled) {
    const JSFunctionBytecode *code = JS_VALUE_GET_PTR(compiled);
    const uint8_t *end = code->byte_code_buf + code->byte_code_len;
    bool has_names = false;
    for (const uint8_t *at = code->byte_code_buf; at < end; at += short_opcode_info(*at).size) {
        if (*at == OP_check_define_var) {
            has_names = true;
            replace_variable(get_u32(at + 1), at[5] & DEFINE_GLOBAL_LEX_VAR);
        } else if (has_names) {
            break;
        }
    }
}

// Makes one variable of a module global. A constant is copied; any other one stays the same variable for the module's functions.
static bool keep_variable(JSAtom name, JSVarRef *variable, bool is_constant) {
    remove_variable(context->global_var_obj, name);
    if (is_fixed_global(name) && !remove_variable(context->global_obj, name))
        return true;
    JSObject *holder = JS_VALUE_GET_OBJ(is_constant ? context->global_var_obj : context->global_obj);
    int flags = JS_PROP_CONFIGURABLE | JS_PROP_ENUMERABLE | (is_constant ? 0 : JS_PROP_WRITABLE | JS_PROP_VARREF);
    if (!is_constant)
        remove_variable(context->global_obj, name);
    JSProperty *property = add_property(context, holder, name, flags);
    if (!property)
        return false;
    if (is_constant) {
        property->u.value = JS_DupValue(context, *variable->pvalue);
    } else {
        JS_REF_COUNT(variable)++;
        property->u.var_ref = variable;
    }
    return true;
}

// A module has its variables for itself. The program's own keeps them for the next evaluation, imports as well.
static void keep_module_variables(JSModuleDef *module) {
    if (JS_VALUE_GET_TAG(module->func_obj) != JS_TAG_OBJECT)
        return;
    JSObject *function = JS_VALUE_GET_OBJ(module->func_obj);
    const JSFunctionBytecode *code = function->u.func.function_bytecode;
    for (int i = 0; i < code->closure_var_count; i++) {
        const JSClosureVar *declared = &code->closure_var[i];
        JSVarRef *variable = function->u.func.var_refs[i];
        if (declared->var_name == JS_ATOM__default_ || declared->var_name == JS_ATOM_default)
            continue;
        if (!variable || JS_IsUninitialized(*variable->pvalue))
            continue;
        if (!keep_variable(declared->var_name, variable, declared->is_const)) {
            JS_FreeValue(context, JS_GetException(context));
            return;
        }
    }
}
