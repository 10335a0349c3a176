//! Evaluation: how does one program text become a completion?

enum { FINISHED = 0, RAISED = 1, EXITED = 2 };

// option<string>
typedef struct {
    uint8_t is_some;
    wasi_list_t text;
} optional_text_t;

// variant completion, as it lies in memory
typedef struct {
    uint8_t tag;
    union {
        struct {
            uint8_t has_value;
            optional_text_t json;
            wasi_list_t text;
        };
        struct {
            wasi_list_t kind;
            wasi_list_t message;
            wasi_list_t traceback;
        };
        int32_t code;
    };
} completion_t;

_Static_assert(sizeof(completion_t) == 28 && offsetof(completion_t, text) == 20, "completion");

static completion_t completion;

__attribute__((export_name("cabi_post_glovebox:guest/interpreter@0.1.0#evaluate"))) void free_completion(completion_t *done) {
    if (done->tag == RAISED) {
        free_list(done->kind);
        free_list(done->message);
        free_list(done->traceback);
    } else if (done->tag == FINISHED && done->has_value) {
        free_list(done->json.text);
        free_list(done->text);
    }
}

// What Node ends with when a top-level `await` can never go on.
#define EXIT_UNSETTLED 13

static wasi_list_t item_for_host(JSValueConst array, uint32_t index) {
    JSValue item = JS_GetPropertyUint32(context, array, index);
    wasi_list_t text = text_for_host(context, item);
    JS_FreeValue(context, item);
    return text;
}

// Used where even the report of an error fails, as with memory that has run out.
static void raise_plainly(JSValueConst error) {
    JSValue text = JS_ToString(context, error);
    if (JS_IsException(text)) {
        JS_FreeValue(context, JS_GetException(context));
        text = JS_UNDEFINED;
    }
    completion.tag = RAISED;
    completion.kind = constant_for_host("Error");
    completion.message = text_for_host(context, text);
    completion.traceback = text_for_host(context, text);
    JS_FreeValue(context, text);
}

static void raise(JSValueConst error, bool is_rejection) {
    JSValue arguments[] = {JS_DupValue(context, error), JS_NewBool(context, is_rejection), JS_NewString(context, source.name),
                           JS_NewStringLen(context, source.text, source.length)};
    JSValue report = JS_Call(context, prelude.report, JS_UNDEFINED, 4, (JSValueConst *)arguments);
    for (size_t i = 0; i < countof(arguments); i++)
        JS_FreeValue(context, arguments[i]);
    if (JS_IsException(report)) {
        JS_FreeValue(context, JS_GetException(context));
        raise_plainly(error);
    } else {
        completion.tag = RAISED;
        completion.kind = item_for_host(report, 0);
        completion.message = item_for_host(report, 1);
        completion.traceback = item_for_host(report, 2);
    }
    JS_FreeValue(context, report);
    uint8_t *line = malloc(completion.traceback.length + 1);
    if (!line)
        return;
    memcpy(line, completion.traceback.bytes, completion.traceback.length);
    line[completion.traceback.length] = '\n';
    write_all(stderr_stream, line, completion.traceback.length + 1);
    free(line);
}

typedef struct {
    const char *bytes; // ends with a null byte
    size_t length;
    bool may_wait;
    bool is_function; // it returns, so it was compiled as the body of one
} program_t;

static bool mentions(program_t program, const char *word) {
    return memmem(program.bytes, program.length, word, strlen(word));
}

static bool may_be_module(program_t program) {
    return mentions(program, "import") || mentions(program, "export");
}

// A file that is a module by its name, as in Node.
static bool names_module(const char *name) {
    const char *end = strrchr(name, '.');
    return end && end[1] == 'm' && (!strcmp(end, ".mjs") || !strcmp(end, ".mts"));
}

static JSValue compile_program(program_t program, int flags) {
    return JS_Eval(context, program.bytes, program.length, source.name, flags | JS_EVAL_FLAG_COMPILE_ONLY);
}

// Where the engine stopped reading, as a number that grows with the text; largest for what is not a syntax error.
static uint64_t reach_of(JSValueConst error) {
    uint64_t reach = UINT64_MAX;
    JSValue frames = js_error_get_stack(context, error);
    const char *text = JS_ToCString(context, frames);
    size_t name_length = strlen(source.name);
    if (text && !strncmp(text, "    at ", 7) && !strncmp(text + 7, source.name, name_length)) {
        unsigned line, column;
        if (sscanf(text + 7 + name_length, ":%u:%u", &line, &column) == 2)
            reach = (uint64_t)line << 32 | column;
    }
    JS_FreeCString(context, text);
    JS_FreeValue(context, frames);
    return reach;
}

static JSValue compile_module(program_t program) {
    JSValue compiled = compile_program(program, JS_EVAL_TYPE_MODULE);
    if (JS_IsException(compiled))
        return compiled;
    char path[LONGEST_PATH];
    size_t length;
    if (absolute_path(source.name, strlen(source.name), path, &length))
        define_meta(context, JS_VALUE_GET_PTR(compiled), path, true);
    return compiled;
}

static JSValue compile_script(program_t program) {
    return compile_program(program, JS_EVAL_TYPE_GLOBAL | (program.may_wait ? JS_EVAL_FLAG_ASYNC : 0));
}

#define FUNCTION_HEAD "function (exports, require, module, __filename, __dirname) {\n"
#define FUNCTION_END "\n})"

// The program as the body of a function, as Node runs its scripts. The lines keep their numbers.
static JSValue compile_function(program_t program) {
    DynBuf text;
    js_dbuf_init(context, &text);
    dbuf_putstr(&text, program.may_wait ? "(async " FUNCTION_HEAD : "(" FUNCTION_HEAD);
    // The line for the system that starts a program is a comment only at the very beginning.
    bool has_interpreter = program.length > 1 && program.bytes[0] == '#' && program.bytes[1] == '!';
    if (has_interpreter)
        dbuf_putstr(&text, "//");
    dbuf_put(&text, (const uint8_t *)program.bytes + 2 * has_interpreter, program.length - 2 * has_interpreter);
    dbuf_put(&text, (const uint8_t *)FUNCTION_END, sizeof FUNCTION_END);
    JSValue compiled = JS_EXCEPTION;
    if (dbuf_error(&text))
        JS_ThrowOutOfMemory(context);
    else
        compiled = JS_EvalInternal(context, context->global_obj, (const char *)text.buf, text.size - 1, source.name, 0,
                                   JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY, -1);
    dbuf_free(&text);
    return compiled;
}

static bool is_about_return(JSValueConst error) {
    JSValue message = JS_GetProperty(context, error, JS_ATOM_message);
    const char *text = JS_ToCString(context, message);
    bool answer = text && !strcmp(text, "Illegal return statement");
    JS_FreeCString(context, text);
    JS_FreeValue(context, message);
    return answer;
}

// The error that came later in the text; takes both.
static JSValue later_error(JSValue one, JSValue other) {
    bool is_other = reach_of(other) > reach_of(one);
    JS_FreeValue(context, is_other ? one : other);
    return is_other ? other : one;
}

// A script is what keeps its variables for the next evaluation, so the text is anything else only if it does not parse as a script:
// a script in which `await` is a name, the body of a function, a module. Where it is none of these, the error counts that came later.
static JSValue compile(program_t *program) {
    if (evaluation.is_last && names_module(source.name))
        return compile_module(*program);
    JSValue compiled = compile_script(*program);
    if (!JS_IsException(compiled))
        return compiled;
    JSValue error = JS_GetException(context);
    for (bool waits = program->may_wait;; waits = false) {
        if (waits != program->may_wait) {
            program->may_wait = false;
            compiled = compile_script(*program);
            if (JS_IsException(compiled))
                error = later_error(error, JS_GetException(context));
        }
        if (JS_IsException(compiled) && is_about_return(error)) {
            compiled = compile_function(*program);
            program->is_function = !JS_IsException(compiled);
            if (JS_IsException(compiled))
                error = later_error(error, JS_GetException(context));
        }
        if (!JS_IsException(compiled) || !waits)
            break;
    }
    if (JS_IsException(compiled) && may_be_module(*program)) {
        compiled = compile_module(*program);
        if (JS_IsException(compiled))
            error = later_error(error, JS_GetException(context));
    }
    if (JS_IsException(compiled))
        return JS_Throw(context, error);
    JS_FreeValue(context, error);
    return compiled;
}

static const char *const function_parameters[] = {"exports", "require", "module", "__filename", "__dirname"};

// Takes the compiled function. What it returns is not the program's value.
static JSValue run_function(JSValue compiled) {
    JSValue function = JS_EvalFunction(context, compiled);
    if (is_stopped(function))
        return function;
    JSValue arguments[countof(function_parameters)];
    for (size_t i = 0; i < countof(arguments); i++)
        arguments[i] = JS_GetPropertyStr(context, context->global_obj, function_parameters[i]);
    JSValue result = JS_Call(context, function, arguments[0], countof(arguments), (JSValueConst *)arguments);
    for (size_t i = 0; i < countof(arguments); i++)
        JS_FreeValue(context, arguments[i]);
    JS_FreeValue(context, function);
    return result;
}

// The program as JavaScript; null after an exception. The caller frees it.
static char *javascript_of_source(size_t *length) {
    JSValue arguments[] = {JS_NewStringLen(context, source.text, source.length), JS_NewString(context, source.name)};
    JSValue result = JS_Call(context, prelude.transform, JS_UNDEFINED, 2, (JSValueConst *)arguments);
    JS_FreeValue(context, arguments[0]);
    JS_FreeValue(context, arguments[1]);
    if (JS_IsException(result))
        return NULL;
    text_t text = text_from(context, result);
    JS_FreeValue(context, result);
    if (!text.bytes)
        return NULL;
    char *copy = malloc(text.length + 1);
    if (copy) {
        memcpy(copy, text.bytes, text.length);
        copy[text.length] = 0;
        *length = text.length;
    } else {
        JS_ThrowOutOfMemory(context);
    }
    free_text(context, text);
    return copy;
}

// Starts the program: runs it up to its first `await`. False after an exception or an exit.
static bool start_program(void) {
    program_t program = {.bytes = source.text, .length = source.length};
    char *transformed = NULL;
    if (source.is_typescript) {
        program.bytes = transformed = javascript_of_source(&program.length);
        if (!transformed)
            return false;
    }
    // A keyword has no escapes, so a text without the word cannot wait, and needs no promise.
    program.may_wait = mentions(program, "await");
    JSValue compiled = compile(&program);
    free(transformed);
    if (JS_IsException(compiled))
        return false;
    bool is_module = JS_IsModule(compiled);
    bool has_promise = program.may_wait || is_module;
    evaluation.has_no_value = program.is_function;
    if (is_module)
        evaluation.main_module = JS_VALUE_GET_PTR(compiled);
    else if (has_evaluated && !program.is_function)
        replace_variables(compiled);
    has_evaluated = true;
    JSValue result = program.is_function ? run_function(compiled) : JS_EvalFunction(context, compiled);
    if (is_stopped(result)) {
        JS_FreeValue(context, result);
        return false;
    }
    *(has_promise ? &evaluation.main_promise : &evaluation.value) = result;
    return true;
}

// One turn of the event loop. False when there was nothing left to do.
static bool turn_loop(bool *is_fine) {
    if (!evaluation.loop_is_needed)
        return false;
    JSValue more = JS_Call(context, prelude.turn, JS_UNDEFINED, 0, NULL);
    *is_fine = !is_stopped(more);
    return !*is_fine || JS_ToBool(context, more);
}

// Runs the program to its end. False if an error, which is then in `completion`, or an exit cut it short.
static bool run_to_end(void) {
    bool is_fine = start_program();
    // In Node a module is itself run by a promise, so that its ticks come after those of its promises.
    if (is_fine && evaluation.main_module)
        is_fine = run_promises();
    // Whether `beforeExit` was the last that happened: as in Node it comes again only after a turn of the loop.
    bool is_over = false;
    for (;;) {
        is_fine = is_fine && run_jobs();
        if (is_ending())
            return false;
        JSValue error, promise;
        while (take_error(!is_fine, &error, &promise)) {
            is_fine = true;
            bool handled = is_handled(error, promise);
            if (!handled && !is_ending())
                raise(error, !JS_IsUndefined(promise));
            JS_FreeValue(context, error);
            JS_FreeValue(context, promise);
            if (!handled)
                return false;
        }
        free_kept();
        if (evaluation.tick_is_pending || JS_IsJobPending(runtime))
            continue;
        if (turn_loop(&is_fine)) {
            is_over = false;
            continue;
        }
        if (is_over || !evaluation.is_last || !evaluation.has_exit_hooks)
            return true;
        // Its listeners may begin something, or throw.
        is_over = true;
        is_fine = call_and_ignore(prelude.before_exit);
    }
}

static const char unsettled_warning[] = "Warning: Detected unsettled top-level await\n";

// What the script gave in the end. A script that waits gives an object that holds it, a module gives nothing.
static JSValue script_value(void) {
    if (evaluation.has_no_value)
        return JS_UNDEFINED;
    if (JS_IsUndefined(evaluation.main_promise))
        return JS_DupValue(context, evaluation.value);
    JSValue result = JS_PromiseResult(context, evaluation.main_promise);
    if (!JS_IsObject(result) || JS_GetClassID(result) != JS_CLASS_OBJECT) {
        JS_FreeValue(context, result);
        return JS_UNDEFINED;
    }
    JSValue value = JS_GetProperty(context, result, JS_ATOM_value);
    JS_FreeValue(context, result);
    return value;
}

// The value of the last expression; where that is a promise, what it came to.
static JSValue last_value(void) {
    JSValue value = script_value();
    if (JS_PromiseState(context, value) == JS_PROMISE_FULFILLED) {
        JSValue inner = JS_PromiseResult(context, value);
        JS_FreeValue(context, value);
        value = inner;
    }
    return value;
}

static void describe(JSValue value) {
    completion.has_value = !JS_IsUndefined(value) && !JS_IsException(value);
    if (!completion.has_value)
        return;
    JSValue parts = JS_Call(context, prelude.describe, JS_UNDEFINED, 1, (JSValueConst *)&value);
    if (JS_IsException(parts)) {
        JS_FreeValue(context, JS_GetException(context));
        completion.has_value = false;
    } else {
        JSValue json = JS_GetPropertyUint32(context, parts, 0);
        completion.json.is_some = !JS_IsUndefined(json);
        if (completion.json.is_some)
            completion.json.text = text_for_host(context, json);
        completion.text = item_for_host(parts, 1);
        JS_FreeValue(context, json);
    }
    JS_FreeValue(context, parts);
}

static void exit_with(int32_t code) {
    completion.tag = EXITED;
    completion.code = code;
}

static const char interrupt_message[] = "the evaluation was interrupted";
static const char interrupt_report[] = "Error: the evaluation was interrupted\n";

// Ends an interrupted evaluation, whatever came of it before. Nothing interrupts what follows.
static void end_interrupts(void) {
    interrupts_are_enabled = 0;
    if (!is_interrupted)
        return;
    is_interrupted = 0;
    free_completion(&completion);
    completion = (completion_t){.tag = RAISED, .kind = constant_for_host("Error"), .message = constant_for_host(interrupt_message),
                                .traceback = constant_for_host(interrupt_report)};
    write_all(stderr_stream, (const uint8_t *)interrupt_report, sizeof interrupt_report - 1);
}

// Runs the listeners of `exit`.
static bool say_exit(bool is_unsettled) {
    JSValue code = JS_NewInt32(context, is_unsettled ? EXIT_UNSETTLED : 0);
    JSValue result = JS_Call(context, prelude.finish, JS_UNDEFINED, 1, &code);
    bool is_fine = !is_stopped(result);
    JS_FreeValue(context, result);
    return is_fine;
}

static void finish(bool reached_end) {
    bool is_unsettled = reached_end && JS_PromiseState(context, evaluation.main_promise) == JS_PROMISE_PENDING;
    if (reached_end && evaluation.is_last && evaluation.has_exit_hooks && !say_exit(is_unsettled) && !is_ending()) {
        JSValue error = JS_GetException(context);
        raise(error, false);
        JS_FreeValue(context, error);
        return;
    }
    if (evaluation.is_exiting) {
        exit_with(evaluation.exit_code);
    } else if (is_unsettled) {
        write_all(stderr_stream, (const uint8_t *)unsettled_warning, sizeof unsettled_warning - 1);
        exit_with(evaluation.exit_code ? evaluation.exit_code : EXIT_UNSETTLED);
    } else if (reached_end && evaluation.exit_code) {
        exit_with(evaluation.exit_code);
    } else if (reached_end) {
        completion.tag = FINISHED;
        JSValue value = last_value();
        describe(value);
        JS_FreeValue(context, value);
    }
}

// Leaves nothing of an evaluation that was cut short for the next one to run.
static void clean_up(bool reached_end) {
    free_kept();
    evaluation.is_exiting = false;
    JS_FreeValue(context, evaluation.main_promise);
    JS_FreeValue(context, evaluation.value);
    evaluation.main_promise = evaluation.value = JS_UNDEFINED;
    if (!reached_end || evaluation.loop_is_needed || evaluation.has_exit_hooks || evaluation.exit_code) {
        JS_FreeValue(context, JS_GetException(context));
        drop_jobs();
        forget_rejections();
        if (!call_and_ignore(prelude.reset))
            JS_FreeValue(context, JS_GetException(context));
    }
    if (evaluation.main_module)
        keep_module_variables(evaluation.main_module);
    evaluation.main_module = NULL;
    evaluation.loop_is_needed = evaluation.tick_is_pending = evaluation.has_no_value = false;
    evaluation.exit_code = 0;
}

static void free_texts(text_list_t texts) {
    for (uint32_t i = 0; i < texts.length; i++)
        free_list(texts.items[i]);
    if (texts.length)
        free(texts.items);
}

// The bytes with a null byte after them, which the engine's parser wants.
static char *ended(wasi_list_t list) {
    char *text = list.length ? realloc(list.bytes, list.length + 1) : malloc(1);
    if (!text)
        __builtin_trap();
    text[list.length] = 0;
    return text;
}

// The first evaluation of a fresh or restored instance.
static void begin_life(uint64_t seed) {
    host_is_there = true;
    take_handles();
    context->random_state = seed ? seed : 1;
    context->time_origin = js__now_ms();
}

__attribute__((export_name("glovebox:guest/interpreter@0.1.0#evaluate"))) completion_t *
evaluate(uint8_t *name, uint32_t name_length, uint8_t *language, uint32_t language_length, uint8_t *text, uint32_t text_length,
         wasi_list_t *arguments, uint32_t argument_count, wasi_list_t *environment, uint32_t variable_count, int32_t has_seed,
         uint64_t seed, int32_t is_last) {
    if (has_seed)
        begin_life(seed);
    JS_UpdateStackTop(runtime);
    source.is_typescript = language_length == 10 && !memcmp(language, "typescript", 10);
    free_list((wasi_list_t){language, language_length});
    source.name = ended((wasi_list_t){name, name_length});
    source.text = ended((wasi_list_t){text, text_length});
    source.length = text_length;
    free_texts(program_arguments);
    free_texts(program_environment);
    program_arguments = (text_list_t){arguments, argument_count};
    // A list of pairs of strings lies in memory like a list of strings.
    program_environment = (text_list_t){environment, variable_count * 2};
    if (has_seed)
        use_zone_of_environment();

    completion = (completion_t){0};
    interrupts_are_enabled = !is_last;
    evaluation.is_last = is_last;
    bool reached_end = run_to_end();
    finish(reached_end);
    reached_end &= !is_interrupted;
    end_interrupts();
    clean_up(reached_end);
    free((void *)source.name);
    free((void *)source.text);
    source.name = source.text = NULL;
    return &completion;
}

// list<word-bits> has one element.
typedef struct {
    const volatile uint32_t *address;
    uint32_t bits;
} word_bits_t;

// record interruption
typedef struct {
    const volatile uint32_t *enabled;
    const word_bits_t *words;
    uint32_t count;
} interrupt_t;

__attribute__((export_name("glovebox:guest/interpreter@0.1.0#interrupt"))) const interrupt_t *describe_interrupt(void) {
    static const word_bits_t word = {&is_interrupted, 1};
    static const interrupt_t description = {&interrupts_are_enabled, &word, 1};
    return &description;
}
