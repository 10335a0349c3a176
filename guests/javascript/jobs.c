//! Jobs: how do promises and ticks run, and which error of theirs comes first?

static void drop_jobs(void) {
    struct list_head *item, *next;
    list_for_each_safe(item, next, &runtime->job_list) {
        JSJobEntry *job = list_entry(item, JSJobEntry, link);
        list_del(&job->link);
        for (int i = 0; i < job->argc; i++)
            JS_FreeValue(context, job->argv[i]);
        js_free(context, job);
    }
}

static bool is_stopped(JSValueConst value) {
    return JS_IsException(value) || is_ending();
}

static bool call_and_ignore(JSValueConst function) {
    JSValue result = JS_Call(context, function, JS_UNDEFINED, 0, NULL);
    bool is_fine = !is_stopped(result);
    JS_FreeValue(context, result);
    return is_fine;
}

// Runs what promises wait for. False after an exception or an exit.
static bool run_promises(void) {
    JSContext *unused;
    int result;
    while ((result = JS_ExecutePendingJob(runtime, &unused)) > 0) {
        if (is_ending())
            return false;
    }
    return result == 0;
}

// Runs everything that is ready without waiting. False after an exception or an exit.
static bool run_jobs(void) {
    do {
        if (evaluation.tick_is_pending) {
            evaluation.tick_is_pending = false;
            if (!call_and_ignore(prelude.run_ticks))
                return false;
        }
        if (!run_promises())
            return false;
    } while (evaluation.tick_is_pending);
    return true;
}

// Takes the error that ended a job or the first unhandled promise. Undefined `promise` means that it was thrown.
static bool take_error(bool has_exception, JSValue *error, JSValue *promise) {
    *promise = JS_UNDEFINED;
    if (has_exception) {
        *error = JS_GetException(context);
        return true;
    }
    if (!rejections.count)
        return false;
    *promise = rejections.promises[0];
    rejections.count--;
    memmove(&rejections.promises[0], &rejections.promises[1], rejections.count * sizeof(JSValue));
    *error = JS_PromiseResult(context, *promise);
    if (JS_VALUE_GET_TAG(evaluation.main_promise) == JS_TAG_OBJECT &&
        JS_VALUE_GET_PTR(*promise) == JS_VALUE_GET_PTR(evaluation.main_promise)) {
        JS_FreeValue(context, *promise);
        *promise = JS_UNDEFINED;
    }
    return true;
}

// True if the program has a handler of its own for uncaught errors and it took this one.
static bool is_handled(JSValueConst error, JSValueConst promise) {
    if (!evaluation.has_exit_hooks)
        return false;
    JSValueConst arguments[] = {error, promise, JS_NewBool(context, evaluation.is_last)};
    JSValue result = JS_Call(context, prelude.handle, JS_UNDEFINED, 3, arguments);
    if (JS_IsException(result)) {
        if (!evaluation.is_exiting)
            JS_FreeValue(context, JS_GetException(context));
        return false;
    }
    return JS_ToBool(context, result);
}
