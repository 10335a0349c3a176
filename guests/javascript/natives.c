//! Native functions: which functions does the prelude get from C?

// write(fd, text or bytes): true if the stream took all of it. One call is one write for the host.
static JSValue native_write(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    handle_t stream = JS_VALUE_GET_INT(argv[0]) == 2 ? stderr_stream : stdout_stream;
    if (!JS_IsString(argv[1])) {
        size_t length;
        const uint8_t *bytes = JS_GetUint8Array(ctx, &length, argv[1]);
        if (!bytes && length)
            return JS_EXCEPTION;
        return JS_NewBool(ctx, write_all(stream, bytes, length));
    }
    text_t text = text_from(ctx, argv[1]);
    if (!text.bytes)
        return JS_EXCEPTION;
    bool is_written = write_all(stream, (const uint8_t *)text.bytes, text.length);
    free_text(ctx, text);
    return JS_NewBool(ctx, is_written);
}

// readInput(): the next bytes of standard input; null at its end.
static JSValue native_read_input(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    wasi_list_t chunk = read_input();
    if (is_interrupted)
        return throw_interrupt(ctx);
    return chunk.length ? buffer_from_host(ctx, chunk) : JS_NULL;
}

// monotonic(): nanoseconds as a BigInt.
static JSValue native_monotonic(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return JS_NewBigUint64(ctx, clock_nanoseconds(1));
}

// now(): monotonic milliseconds.
static JSValue native_now(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return JS_NewFloat64(ctx, clock_nanoseconds(1) / 1e6);
}

// wallNow(): milliseconds since 1970, with a fraction.
static JSValue native_wall_now(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return JS_NewFloat64(ctx, clock_nanoseconds(0) / 1e6);
}

// timeOrigin(): milliseconds since 1970 of the moment from which `performance.now()` counts.
static JSValue native_time_origin(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return JS_NewFloat64(ctx, clock_nanoseconds(0) / 1e6 - (js__now_ms() - ctx->time_origin));
}

// randomBytes(count)
static JSValue native_random_bytes(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    uint32_t count;
    if (JS_ToUint32(ctx, &count, argv[0]))
        return JS_EXCEPTION;
    wasi_list_t bytes = {0};
    if (count && host_is_there)
        wasi_random_bytes(count, &bytes);
    return buffer_from_host(ctx, bytes);
}

// startCall(name, json): the number of the call.
static JSValue native_start_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    text_t name = text_from(ctx, argv[0]);
    if (!name.bytes)
        return JS_EXCEPTION;
    text_t arguments = text_from(ctx, argv[1]);
    if (!arguments.bytes) {
        free_text(ctx, name);
        return JS_EXCEPTION;
    }
    evaluation.loop_is_needed = true;
    uint32_t call = host_start_call(name.bytes, name.length, arguments.bytes, arguments.length);
    free_text(ctx, name);
    free_text(ctx, arguments);
    return JS_NewUint32(ctx, call);
}

// waitAny(calls, milliseconds or undefined): the call that has finished, or undefined when the time is up.
static JSValue native_wait_any(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    int64_t count;
    double timeout = 0;
    bool has_timeout = !JS_IsUndefined(argv[1]);
    if (JS_GetLength(ctx, argv[0], &count) || (has_timeout && JS_ToFloat64(ctx, &timeout, argv[1])))
        return JS_EXCEPTION;
    uint32_t *calls = js_malloc(ctx, (count + 1) * sizeof(uint32_t));
    if (!calls)
        return JS_EXCEPTION;
    for (int64_t i = 0; i < count; i++) {
        JSValue call = JS_GetPropertyInt64(ctx, argv[0], i);
        int failure = JS_ToUint32(ctx, &calls[i], call);
        JS_FreeValue(ctx, call);
        if (failure) {
            js_free(ctx, calls);
            return JS_EXCEPTION;
        }
    }
    optional_call_t finished;
    uint64_t nanoseconds = timeout > 0 ? (timeout < 1e12 ? (uint64_t)(timeout * 1e6) : UINT64_C(1000000000000000000)) : 0;
    host_wait_any(calls, count, has_timeout, nanoseconds, &finished);
    js_free(ctx, calls);
    if (is_interrupted)
        return throw_interrupt(ctx);
    return finished.is_some ? JS_NewUint32(ctx, finished.call) : JS_UNDEFINED;
}

// finishCall(call): [value] or [undefined, kind, message].
static JSValue native_finish_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    uint32_t call;
    if (JS_ToUint32(ctx, &call, argv[0]))
        return JS_EXCEPTION;
    call_result_t result;
    host_finish_call(call, &result);
    JSValue array = JS_NewArray(ctx);
    if (!result.is_error) {
        JS_SetPropertyUint32(ctx, array, 0, string_from_host(ctx, result.value));
        return array;
    }
    JS_SetPropertyUint32(ctx, array, 0, JS_UNDEFINED);
    JS_SetPropertyUint32(ctx, array, 1, string_from_host(ctx, result.kind));
    JS_SetPropertyUint32(ctx, array, 2, string_from_host(ctx, result.message));
    return array;
}

// exit(code): does not return.
static JSValue native_exit(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    int32_t code;
    if (JS_ToInt32(ctx, &code, argv[0]))
        return JS_EXCEPTION;
    evaluation.exit_code = code;
    evaluation.is_exiting = true;
    return throw_exit(ctx);
}

// setExitCode(code): what the evaluation ends with if nothing else happens.
static JSValue native_set_exit_code(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return JS_ToInt32(ctx, &evaluation.exit_code, argv[0]) ? JS_EXCEPTION : JS_UNDEFINED;
}

enum { NEED_LOOP, NEED_TICKS, NEED_EXIT_HOOKS };

// needLoop(), needTicks(), needExitHooks(): makes the evaluation go on.
static JSValue native_need(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int magic) {
    if (magic == NEED_LOOP)
        evaluation.loop_is_needed = true;
    else if (magic == NEED_TICKS)
        evaluation.tick_is_pending = true;
    else
        evaluation.has_exit_hooks = true;
    return JS_UNDEFINED;
}

static JSValue native_arguments(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return list_of_texts(ctx, &program_arguments);
}

static JSValue native_environment(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return list_of_texts(ctx, &program_environment);
}

static JSValue native_source_name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return JS_NewString(ctx, source.name ? source.name : "");
}

// sourceText(): the program as it came.
static JSValue native_source_text(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return source.text ? JS_NewStringLen(ctx, source.text, source.length) : JS_UNDEFINED;
}

// compile(text, file, line): runs a script and gives its last value; for CommonJS modules. `line` is the number of its first line.
static JSValue native_compile(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    text_t text = text_from(ctx, argv[0]);
    if (!text.bytes)
        return JS_EXCEPTION;
    JSValue value = JS_EXCEPTION;
    const char *file = JS_ToCString(ctx, argv[1]);
    char *ended = file ? js_strndup(ctx, text.bytes, text.length) : NULL;
    if (ended)
        value = JS_EvalInternal(ctx, ctx->global_obj, ended, text.length, file, JS_VALUE_GET_INT(argv[2]), JS_EVAL_TYPE_GLOBAL, -1);
    js_free(ctx, ended);
    JS_FreeCString(ctx, file);
    free_text(ctx, text);
    return value;
}

// collectGarbage()
static JSValue native_collect_garbage(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JS_RunGC(ctx->rt);
    return JS_UNDEFINED;
}

// memoryUsage(): [bytes that the engine holds, bytes of linear memory]
static JSValue native_memory_usage(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return pair(ctx, JS_NewInt64(ctx, ctx->rt->malloc_state.malloc_size), JS_NewInt64(ctx, __builtin_wasm_memory_size(0) * INT64_C(65536)));
}

// encodeUtf8(text): a Uint8Array.
static JSValue native_encode_utf8(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    text_t text = text_from(ctx, argv[0]);
    if (!text.bytes)
        return JS_EXCEPTION;
    JSValue bytes = JS_NewUint8ArrayCopy(ctx, (const uint8_t *)text.bytes, text.length);
    free_text(ctx, text);
    return bytes;
}

// How many bytes the sequence that begins here should have, and the range of its second byte; 0 for a byte that begins none.
static unsigned utf8_sequence(uint8_t lead, uint8_t *low, uint8_t *high) {
    *low = 0x80;
    *high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (lead == 0xE0)
            *low = 0xA0;
        if (lead == 0xED)
            *high = 0x9F;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (lead == 0xF0)
            *low = 0x90;
        if (lead == 0xF4)
            *high = 0x8F;
        return 4;
    }
    return 0;
}

// Decodes as the WHATWG encoding standard says: each maximal part of a bad sequence is one U+FFFD. Null units count only.
static size_t decode_utf8(const uint8_t *bytes, size_t length, uint16_t *units, bool *is_bad) {
    size_t count = 0;
    for (size_t at = 0; at < length;) {
        uint8_t lead = bytes[at++];
        if (lead < 0x80) {
            units[count++] = lead;
            continue;
        }
        uint8_t low, high;
        unsigned size = utf8_sequence(lead, &low, &high), seen = 1;
        uint32_t point = size == 2 ? lead & 0x1F : size == 3 ? lead & 0x0F : lead & 0x07;
        while (seen < size && at < length && bytes[at] >= low && bytes[at] <= high) {
            point = point << 6 | (bytes[at++] & 0x3F);
            low = 0x80;
            high = 0xBF;
            seen++;
        }
        if (size == 0 || seen < size) {
            *is_bad = true;
            units[count++] = 0xFFFD;
        } else if (point >= 0x10000) {
            units[count++] = 0xD7C0 + (point >> 10);
            units[count++] = 0xDC00 | (point & 0x3FF);
        } else {
            units[count++] = point;
        }
    }
    return count;
}

// decodeUtf8(bytes, fatal): text; null if it is not UTF-8 and `fatal` is set.
static JSValue native_decode_utf8(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    size_t length;
    const uint8_t *bytes = JS_GetUint8Array(ctx, &length, argv[0]);
    if (!bytes || !length)
        return bytes || !JS_HasException(ctx) ? JS_NewString(ctx, "") : JS_EXCEPTION;
    size_t ascii = 0;
    while (ascii < length && bytes[ascii] < 0x80)
        ascii++;
    if (ascii == length)
        return JS_NewStringLen(ctx, (const char *)bytes, length);
    uint16_t *units = js_malloc(ctx, length * sizeof(uint16_t));
    if (!units)
        return JS_EXCEPTION;
    bool is_bad = false;
    size_t count = decode_utf8(bytes, length, units, &is_bad);
    JSValue text = is_bad && JS_ToBool(ctx, argv[1]) ? JS_NULL : JS_NewStringUTF16(ctx, units, count);
    js_free(ctx, units);
    return text;
}

// The names that `native_imports` has met; undefined while they are not collected.
static JSValue met_imports = JS_UNDEFINED;
// What stands for every module meanwhile.
static const char *const NO_MODULE = "glovebox:none";

// imports(text, file): the names that a module imports, in their order. Runs nothing: the engine looks for a module's imports when it has
// compiled it, and is given an empty one for each.
static JSValue native_imports(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    text_t text = text_from(ctx, argv[0]);
    if (!text.bytes)
        return JS_EXCEPTION;
    char *ended = js_strndup(ctx, text.bytes, text.length);
    const char *file = JS_ToCString(ctx, argv[1]);
    JSValue names = JS_NewArray(ctx);
    JSValue compiled = JS_EXCEPTION;
    if (ended && file && !JS_IsException(names)) {
        met_imports = names;
        compiled = JS_Eval(ctx, ended, text.length, file, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
        met_imports = JS_UNDEFINED;
    }
    JS_FreeCString(ctx, file);
    js_free(ctx, ended);
    free_text(ctx, text);
    if (JS_IsException(compiled)) {
        JS_FreeValue(ctx, names);
        return JS_EXCEPTION;
    }
    JS_FreeValue(ctx, compiled);
    return names;
}

static const JSCFunctionListEntry native_functions[] = {
    JS_CFUNC_DEF("imports", 2, native_imports),
    JS_CFUNC_DEF("write", 2, native_write),
    JS_CFUNC_DEF("readInput", 0, native_read_input),
    JS_CFUNC_DEF("monotonic", 0, native_monotonic),
    JS_CFUNC_DEF("now", 0, native_now),
    JS_CFUNC_DEF("wallNow", 0, native_wall_now),
    JS_CFUNC_DEF("performanceNow", 0, js_perf_now),
    JS_CFUNC_DEF("timeOrigin", 0, native_time_origin),
    JS_CFUNC_DEF("randomBytes", 1, native_random_bytes),
    JS_CFUNC_DEF("startCall", 2, native_start_call),
    JS_CFUNC_DEF("waitAny", 2, native_wait_any),
    JS_CFUNC_DEF("finishCall", 1, native_finish_call),
    JS_CFUNC_DEF("exit", 1, native_exit),
    JS_CFUNC_DEF("setExitCode", 1, native_set_exit_code),
    JS_CFUNC_MAGIC_DEF("needLoop", 0, native_need, NEED_LOOP),
    JS_CFUNC_MAGIC_DEF("needTicks", 0, native_need, NEED_TICKS),
    JS_CFUNC_MAGIC_DEF("needExitHooks", 0, native_need, NEED_EXIT_HOOKS),
    JS_CFUNC_DEF("arguments", 0, native_arguments),
    JS_CFUNC_DEF("environment", 0, native_environment),
    JS_CFUNC_DEF("sourceName", 0, native_source_name),
    JS_CFUNC_DEF("sourceText", 0, native_source_text),
    JS_CFUNC_DEF("compile", 3, native_compile),
    JS_CFUNC_DEF("frame", 0, native_frame),
    JS_CFUNC_DEF("setFrame", 1, native_set_frame),
    JS_CFUNC_DEF("lazyPart", 1, native_lazy_part),
    JS_CFUNC_DEF("localeData", 1, native_locale_data),
    JS_CFUNC_DEF("useZone", 1, native_use_zone),
    JS_CFUNC_DEF("zoneName", 0, native_zone_name),
    JS_CFUNC_DEF("zoneAt", 2, native_zone_at),
    JS_CFUNC_DEF("collectGarbage", 0, native_collect_garbage),
    JS_CFUNC_DEF("memoryUsage", 0, native_memory_usage),
    JS_CFUNC_DEF("encodeUtf8", 1, native_encode_utf8),
    JS_CFUNC_DEF("decodeUtf8", 2, native_decode_utf8),
    JS_CFUNC_DEF("classOf", 1, native_class_of),
    JS_CFUNC_DEF("typeChecks", 0, native_type_checks),
    JS_CFUNC_DEF("namedKeys", 2, native_named_keys),
    JS_CFUNC_DEF("promiseDetails", 1, native_promise_details),
    JS_CFUNC_DEF("proxyDetails", 1, native_proxy_details),
    JS_CFUNC_DEF("iteratorEntries", 1, native_iterator_entries),
    JS_CFUNC_DEF("markHandled", 1, native_mark_handled),
    JS_CFUNC_DEF("startHash", 1, native_start_hash),
    JS_CFUNC_DEF("feedHash", 2, native_feed_hash),
    JS_CFUNC_DEF("endHash", 1, native_end_hash),
    JS_CFUNC_DEF("pbkdf2", 5, native_pbkdf2),
    JS_CFUNC_DEF("scrypt", 6, native_scrypt),
    JS_CFUNC_DEF("open", 3, native_open),
    JS_CFUNC_DEF("close", 1, native_close),
    JS_CFUNC_DEF("read", 3, native_read),
    JS_CFUNC_DEF("writeFile", 3, native_write_file),
    JS_CFUNC_DEF("setSize", 2, native_set_size),
    JS_CFUNC_DEF("stat", 2, native_stat),
    JS_CFUNC_DEF("statHandle", 1, native_stat_handle),
    JS_CFUNC_MAGIC_DEF("makeDirectory", 1, native_change_entry, MAKE_DIRECTORY),
    JS_CFUNC_MAGIC_DEF("removeDirectory", 1, native_change_entry, REMOVE_DIRECTORY),
    JS_CFUNC_MAGIC_DEF("removeFile", 1, native_change_entry, REMOVE_FILE),
    JS_CFUNC_DEF("rename", 2, native_rename),
    JS_CFUNC_DEF("makeLink", 2, native_make_link),
    JS_CFUNC_DEF("readLink", 1, native_read_link),
    JS_CFUNC_DEF("list", 1, native_list),
    JS_CFUNC_DEF("readFile", 1, native_read_file),
};
