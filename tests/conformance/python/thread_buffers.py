# a buffer with a bound between threads, by each primitive and in each order of the starts
import threading, time, random
N=3
buf=[]; cond=threading.Condition(); done=[]
def producer(k, n):
    for i in range(n):
        with cond:
            while len(buf) >= N:
                cond.wait()
            buf.append((k,i))
            cond.notify_all()
        time.sleep(0.001)
def consumer(n):
    for _ in range(n):
        with cond:
            while not buf:
                cond.wait()
            item = buf.pop(0)
            cond.notify_all()
        done.append(item)
for first in ("p", "c"):
    done.clear()
    ps=[threading.Thread(target=producer,args=(k,10)) for k in range(2)]
    cs=[threading.Thread(target=consumer,args=(5,)) for k in range(4)]
    for t in (ps+cs if first=="p" else cs+ps): t.start()
    for t in ps+cs: t.join()
    print(first, len(done), sorted(done)==[(k,i) for k in range(2) for i in range(10)])
# two conditions
class BB:
    def __init__(self, n):
        self.n=n; self.q=[]; self.lock=threading.Lock()
        self.not_full=threading.Condition(self.lock); self.not_empty=threading.Condition(self.lock)
        self.hi=0
    def put(self,x):
        with self.not_full:
            while len(self.q)>=self.n: self.not_full.wait()
            self.q.append(x); self.hi=max(self.hi,len(self.q))
            self.not_empty.notify()
    def get(self):
        with self.not_empty:
            while not self.q: self.not_empty.wait()
            x=self.q.pop(0); self.not_full.notify(); return x
b=BB(2); out=[]
def prod():
    for i in range(8): b.put(i)
    b.put(None)
def cons():
    while True:
        x=b.get()
        if x is None: break
        out.append(x)
for order in ((prod,cons),(cons,prod)):
    out.clear()
    ts=[threading.Thread(target=f) for f in order]
    [t.start() for t in ts]; [t.join() for t in ts]
    print(out, b.hi)
# semaphores
empty=threading.Semaphore(2); full=threading.Semaphore(0); mutex=threading.Lock(); box=[]; got=[]
def sp():
    for i in range(6):
        empty.acquire()
        with mutex: box.append(i)
        full.release()
def sc():
    for i in range(6):
        full.acquire()
        mutex.acquire()
        try: got.append(box.pop(0))
        finally: mutex.release()
        empty.release()
for order in ((sp,sc),(sc,sp)):
    got.clear()
    ts=[threading.Thread(target=f) for f in order]
    [t.start() for t in ts]; [t.join() for t in ts]
    print(got)
# lock+event ping-pong
ea,eb=threading.Event(),threading.Event(); log=[]
def ping():
    for i in range(4):
        ea.wait(); ea.clear(); log.append("ping"); eb.set()
def pong():
    for i in range(4):
        eb.wait(); eb.clear(); log.append("pong"); ea.set()
t1,t2=threading.Thread(target=ping),threading.Thread(target=pong)
t1.start(); t2.start(); ea.set(); t1.join(); t2.join(); print(log)
# a generator, and an iterator over a queue, that wait for their next item
import queue


def taken(q):
    while True:
        x = q.get()
        if x is None:
            return
        yield x


def by_generator(q, out):
    for x in taken(q):
        out.append(x)


def by_iterator(q, out):
    for x in iter(q.get, None):
        out.append(x)


def fill(q):
    for i in range(5):
        q.put(i)
    q.put(None)


for consume in (by_generator, by_iterator):
    for is_producer_first in (True, False):
        q, out = queue.Queue(1), []
        ts = [threading.Thread(target=fill, args=(q,)), threading.Thread(target=consume, args=(q, out))]
        for t in ts if is_producer_first else ts[::-1]:
            t.start()
        for t in ts:
            t.join()
        print(consume.__name__, out)
