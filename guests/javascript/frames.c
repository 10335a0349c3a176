//! Asynchronous frames: what is known again when a promise goes on?
//!
//! A frame is a value of the prelude's (`lazy/async_hooks.js`), and undefined in a program that asks for none. A reaction of a promise keeps
//! the frame that was there when it was added, and runs in it.

static JSValue async_frame = JS_UNDEFINED;

// Takes the frame, and gives the one before.
static JSValue exchange_frame(JSValue frame) {
    JSValue before = async_frame;
    async_frame = frame;
    return before;
}

// A job: the arguments of the engine's own, and the frame.
static JSValue react_in_frame(JSContext *ctx, int argc, JSValueConst *argv) {
    if (JS_IsUndefined(argv[5]) && JS_IsUndefined(async_frame))
        return promise_reaction_job(ctx, 5, argv);
    JSValue before = exchange_frame(JS_DupValue(ctx, argv[5]));
    JSValue result = promise_reaction_job(ctx, 5, argv);
    JS_FreeValue(ctx, exchange_frame(before));
    return result;
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
