//! `node:events`: which class of emitters do the other files extend?
(native, internal) => {
  internal.EventEmitter = internal.node('events');
}
