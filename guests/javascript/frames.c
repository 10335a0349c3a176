//! Asynchronous frames: what is known again when a promise goes on?
//!
//! A frame is a value of the prelude's (`lazy/async_hooks.js`), and undefined in a program that asks for none. A reaction of a promise and a
//! microtask keep the frame that was there when they were added, and run in it.

static JSValue async_frame = JS_UNDEFINED;

// Takes the frame, and gives the one before.
static JSValue exchange_frame(JSValue frame) {
    JSValue before = async_frame;
    async_frame = frame;
    return before;
}

// Runs a job of the engine's in the frame that follows its arguments.
static JSValue run_in_frame(JSContext *ctx, JSJobFunc *job, int argc, JSValueConst *argv) {
    JSValue before = exchange_frame(JS_DupValue(ctx, argv[argc - 1]));
    JSValue result = job(ctx, argc - 1, argv);
    JS_FreeValue(ctx, exchange_frame(before));
    return result;
}

static JSValue react_in_frame(JSContext *ctx, int argc, JSValueConst *argv) {
    return run_in_frame(ctx, promise_reaction_job, argc, argv);
}

static JSValue resolve_in_frame(JSContext *ctx, int argc, JSValueConst *argv) {
    return run_in_frame(ctx, js_promise_resolve_thenable_job, argc, argv);
}

static JSValue call_in_frame(JSContext *ctx, int argc, JSValueConst *argv) {
    return run_in_frame(ctx, js_microtask_job, argc, argv);
}

// frame(): the current one.
static JSValue native_frame(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    return JS_DupValue(ctx, async_frame);
}

// setFrame(frame)
static JSValue native_set_frame(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    JS_FreeValue(ctx, exchange_frame(JS_DupValue(ctx, argv[0])));
    return JS_UNDEFINED;
}
