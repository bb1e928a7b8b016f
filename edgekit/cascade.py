"""A model that answers beside the loop: the loop's results trigger questions, a thread of lower priority answers.

The loop never waits for it. One question is in flight and one waits; a newer one takes the place of that which waits.
The model begins no call of its engine while a frame is in the loop: a call that is under way then is all that a frame
has to share the cores with.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable

from edgekit.answered import Answered
from edgekit.answerer import Answerer, Request
from edgekit.cascade_summary import CascadeSummary, Fate
from edgekit.deadline import NewestWins
from edgekit.errors import EdgekitError
from edgekit.events import AnswerTold, FrameDone, Observer, Observers
from edgekit.gaps import CallTimes, Gaps
from edgekit.processing.thumbnail import thumbnail
from edgekit.tasks.question import text_of
from edgekit.triggers import Triggers
from edgekit.types import Frame

NICENESS = 10
"""Added to the answering thread's, and through it to the threads that its engine starts."""

JOIN_TIMEOUT_S = 30.0
"""How long an engine call that is under way at the end is waited for; then its thread is left behind, as a daemon."""

GIVE_WAY_S = 0.05
"""How long a call of the model waits for the loop to be done with a frame: a loop that never rests does not stop it."""

MAX_FAILURES = 3
"""Questions in a row that fail, after which no more are asked."""


class Cascade(Observer):
    """Asks a model about frames of the loop, in a thread of its own.

    Args:
        load: gives the model with its question. It is called in the answering thread, whose priority is lower by then:
            threads that an engine starts have that of the thread that loads a graph.
        triggers: when to ask.
        record: receives each whole answer, in the answering thread.
        say: tells a person an error.
        max_age_ns: a running answer is given up when its frame is older and a newer question waits; None: never.
        now_ns: monotonic clock, the loop's.
        gaps: where calls of the model are begun, between the loop's frames.

    Attributes:
        observer: is told each answer as it grows, in the answering thread; to be set before the loop runs.
        summary: to be read when the thread has ended.
    """

    def __init__(
        self,
        load: Callable[[], Answerer],
        triggers: Triggers,
        *,
        record: Callable[[Answered], None] = lambda answered: None,
        say: Callable[[str], None] = lambda message: None,
        max_age_ns: int | None = None,
        now_ns: Callable[[], int] = time.perf_counter_ns,
        gaps: Gaps | None = None,
    ) -> None:
        self.summary = CascadeSummary()
        self.observer: Observer = Observers()
        self._load, self._triggers, self._record, self._say = load, triggers, record, say
        self._max_age_ns, self._now_ns = max_age_ns, now_ns
        self._waiting: NewestWins[Request] = NewestWins()
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._over = threading.Event()  # no more questions are taken
        self._cancelled = threading.Event()  # nor answered
        self._in_flight = False  # a frame, in the loop
        self._gaps, self._calls = gaps or Gaps(), CallTimes()
        self._idle = threading.Condition(self._lock)
        self._failures = 0
        self._reads = False
        self._loaded = threading.Event()
        self._refused: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="edgekit-cascade", daemon=True)

    def start(self) -> None:
        """Starts the thread and waits for the model to be loaded.

        Raises:
            EdgekitError: it cannot be.
        """
        self._thread.start()
        self._loaded.wait()
        if self._refused is not None:
            self._thread.join()
            raise self._refused

    def frame_taken(self, frame: Frame) -> None:
        """The model gives way until the frame is done; see :class:`~edgekit.events.Observer`."""
        self._in_flight = True

    def frame_done(self, event: FrameDone) -> None:
        """Lets the model go on, and asks if a rule says so; see :class:`~edgekit.events.Observer`."""
        with self._lock:
            self._in_flight = False
            self._gaps.done(event.outcome.frame.arrived_ns, self._now_ns())
            self._idle.notify()
        self._decide(event)

    def _decide(self, event: FrameDone) -> None:
        """Puts a question in the waiting place, if a rule asks for one."""
        if self._over.is_set():
            return
        outcome = event.outcome
        text = text_of(outcome.result) if self._reads else ""
        if self._reads and not text.strip():
            return
        frame = outcome.frame
        match = self._triggers.decide(outcome.result, lambda: thumbnail(frame.pixels), frame.arrived_ns)
        if match is None:
            return
        with self._lock:
            request = Request(self.summary.triggered, frame, match, text)
            self.summary.triggered += 1
            if self._over.is_set():
                self.summary.fates["cancelled"] += 1
            elif self._waiting.offer(request) is not None:
                self.summary.fates["replaced"] += 1
            self._news.notify()

    def end(self, finish_s: float = 0.0) -> CascadeSummary:
        """Ends the thread; safe to be called twice.

        Args:
            finish_s: how long the questions in flight and waiting may take to be answered; then they are cancelled.
        """
        with self._lock:
            self._over.set()
            self._in_flight = False
            self._news.notify()
            self._idle.notify()
        try:
            if finish_s > 0 and self._thread.is_alive():
                self._thread.join(finish_s)
        finally:
            self._cancelled.set()
            if self._thread.ident is not None:
                self._thread.join(JOIN_TIMEOUT_S)
        self.summary.hangs = self._thread.is_alive()
        return self.summary

    def _run(self) -> None:
        self.summary.niceness = lower_priority(NICENESS)
        try:
            answerer = self._load()
            self._reads = answerer.reads
        except BaseException as error:  # noqa: BLE001 (start raises it in its caller's thread)
            self._refused = error
            return
        finally:
            self._loaded.set()
        model, summary = answerer.model, self.summary
        summary.bundle, summary.task, summary.variant = model.bundle_name, model.name, model.variant
        summary.engine, summary.threads = model.engine, model.threads
        summary.reuse_below = answerer.reuse_below
        while (request := self._next()) is not None:
            fate = self._ask(answerer, request)
            with self._lock:
                summary.fates[fate] += 1

    def _next(self) -> Request | None:
        """Waits for a question; None at the end."""
        with self._lock:
            self._news.wait_for(lambda: self._waiting.occupied or self._over.is_set())
            request = self._waiting.take()
            if request is not None and self._cancelled.is_set():
                self.summary.fates["cancelled"] += 1
                return None
            self.summary.asked += request is not None
            return request

    def _ask(self, answerer: Answerer, request: Request) -> Fate:
        try:
            answered = self._answer(answerer, request)
        except Exception as error:  # noqa: BLE001 (whatever it is, the loop goes on, and the run says so at its end)
            answerer.forget()
            self._tell(request, "", "", True, True)
            self._fail(error)
            return "failed"
        self._failures = 0
        if answered.generation.finish == "cancelled":
            return "cancelled" if self._cancelled.is_set() else "given_up"
        return "answered"

    def _answer(self, answerer: Answerer, request: Request) -> Answered:
        self._calls.begin()
        answer = answerer.begin(request, lambda: self._gives_up(request))
        self._tell(request, answer.question, "", False)
        text, first_ns = "", None
        for piece in answer:
            first_ns = self._now_ns() if first_ns is None else first_ns
            text += piece
            self._tell(request, answer.question, text, False)
        generation = answer.generation
        done_ns = self._now_ns()
        whole = generation.finish != "cancelled"
        self._tell(request, answer.question, generation.text, True, not whole)
        answered = Answered(
            request,
            answer.question,
            answer.region,
            answer.reused,
            answer.difference,
            generation,
            answerer.values(generation) if whole else None,
            (done_ns if first_ns is None else first_ns) - request.frame.arrived_ns,
            done_ns - request.frame.arrived_ns,
        )
        if whole:
            self.summary.add(answered)
            self._record(answered)
        return answered

    def _gives_up(self, request: Request) -> bool:
        """Asked before each call of the model, which waits here while the loop is at work."""
        self._calls.ended(self._now_ns())
        with self._lock:
            self._idle.wait_for(self._may_begin, GIVE_WAY_S)
        self._calls.began(self._now_ns())
        if self._cancelled.is_set():
            return True
        if self._max_age_ns is None or not self._waiting.occupied:
            return False
        return self._now_ns() - request.frame.arrived_ns > self._max_age_ns

    def _may_begin(self) -> bool:
        if self._over.is_set():
            return True
        return not self._in_flight and self._gaps.admit(self._calls.next_ns, self._now_ns())

    def _tell(
        self, request: Request, question: str, text: str, finished: bool, broken_off: bool = False
    ) -> None:
        frame, why, now_ns = request.frame, request.match.why, self._now_ns()
        about = (request.number, frame.index, frame.arrived_ns, why)
        self.observer.answer_told(AnswerTold(*about, question, text, finished, now_ns, broken_off))

    def _fail(self, error: Exception) -> None:
        known = isinstance(error, EdgekitError)
        message = str(error) if known else f"{type(error).__name__}: {error}"
        if message not in self.summary.errors:
            self.summary.errors.append(message)
            self._say(f"edgekit: no answer: {message}")
        self._failures += 1
        if self._failures == MAX_FAILURES:
            self._say(f"edgekit: {MAX_FAILURES} questions in a row failed: no more are asked")
            with self._lock:
                self._over.set()
                self._cancelled.set()  # the one that waits


def lower_priority(by: int) -> int | None:
    """Lowers the calling thread's priority; threads that it starts inherit it.

    (Linux has a niceness for each thread, though POSIX knows only one a process: ``man 2 setpriority``.)

    Args:
        by: added to its niceness.

    Returns:
        Its niceness now; None where the system has none for threads, or refuses.
    """
    if platform.system() != "Linux":
        return None
    thread = threading.get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + by, 19))
        return os.getpriority(os.PRIO_PROCESS, thread)
    except OSError:
        return None
