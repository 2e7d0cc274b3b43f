"""What every store promises of filters, orders and pages, as tests: `StoreContract` tells of the rest."""

from __future__ import annotations

import math
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from runwidgets.conditions import (
    ORDERING,
    All,
    Comparison,
    Existence,
    Field,
    FieldKind,
    Membership,
    Mention,
    Negation,
    Operator,
    Some,
)
from runwidgets.events import JournalOpened, PropertiesAdded, RunCreated, RunDescribed, StatusSet, TagsSet
from runwidgets.query import parse_condition, parse_order
from runwidgets.records import RunQuery, RunStatus
from runwidgets.store import search
from runwidgets.system import this_process
from tests.plain_conditions import PlainRun, holds, ordered
from tests.store_contract import Folder, created, points, rows, status

# ---- random runs

WORDS = st.sampled_from(
    ["", "a", "A", "ab", "ridge", "Ridge", "ä", "Ä", "ß", "1", "2.5", "-3", "1e3", "'; --", "x\0y", "K"]
)
NUMBERS = st.sampled_from([0.0, 1.0, 2.5, -3.0, 1000.0, math.inf, -math.inf])
LOGGED = st.one_of(NUMBERS, st.sampled_from([math.nan, 1, 3, True, "ridge", "", 2**70]))
NAMES = st.sampled_from(["m", "loss/x", "a b"])
PAIRS = st.dictionaries(st.sampled_from(["k", "K", "model", "ä"]), st.one_of(st.none(), WORDS), max_size=3)
RUNS = st.lists(
    st.fixed_dictionaries({
        "name": st.one_of(st.none(), WORDS), "type": st.sampled_from([None, "hyperdrive"]),
        "created": st.sampled_from([1.0, 2.0]), "started": st.sampled_from([None, 5.0, 7.5]),
        "ended": st.sampled_from([None, 10.0, 12.0]), "status": st.sampled_from(["Completed", "Failed", "Running"]),
        "tags": PAIRS, "properties": st.dictionaries(st.sampled_from(["k", "p"]), WORDS, max_size=2),
        "metrics": st.dictionaries(NAMES, st.lists(LOGGED, min_size=1, max_size=3), max_size=2),
    }),
    max_size=6,
)  # fmt: skip

# ---- random conditions

NAMED = {FieldKind.METRICS: NAMES, FieldKind.TAGS: st.sampled_from(["k", "model", "ä", "none"])}
FIELDS = st.sampled_from(list(FieldKind)).flatmap(
    lambda kind: st.builds(
        Field, st.just(kind), NAMED.get(kind, st.sampled_from(["k", "p"])) if kind.is_named else st.just("")
    )
)


def _value_of(kind):
    if kind is FieldKind.METRICS:
        return st.one_of(NUMBERS, st.just(math.nan), WORDS)
    if kind.is_loose:
        return st.one_of(NUMBERS.filter(math.isfinite), WORDS)
    if kind is FieldKind.STATUS:
        return st.sampled_from([status.value for status in RunStatus])
    if kind.is_time or kind in {FieldKind.NUMBER, FieldKind.DURATION}:
        return st.sampled_from([0.0, 1.0, 2.0, 4.5, 5.0, 7.5, 10.0])
    return st.one_of(WORDS, st.sampled_from(["r0", "r1", "hyperdrive", "exp"]))


def _comparison(one):
    value = _value_of(one.kind)
    is_text = not (one.kind.is_time or one.kind in {FieldKind.NUMBER, FieldKind.DURATION, FieldKind.METRICS})
    tests = [
        st.builds(Comparison, st.just(one), st.sampled_from([Operator.EQUAL, Operator.UNEQUAL]), value),
        st.builds(Membership, st.just(one), st.lists(value, min_size=1, max_size=3).map(tuple)),
        st.just(Existence(one)),
    ]
    if one.kind is not FieldKind.STATUS:
        greater = NUMBERS if one.kind is FieldKind.METRICS else value
        tests.append(st.builds(Comparison, st.just(one), st.sampled_from(sorted(ORDERING)), greater))
    if is_text:
        tests.append(st.builds(Comparison, st.just(one), st.just(Operator.CONTAINS), WORDS))
    return st.one_of(tests)


CONDITIONS = st.recursive(
    st.one_of(FIELDS.flatmap(_comparison), st.builds(Mention, st.one_of(WORDS, st.sampled_from(["r", "R1", "EX"])))),
    lambda inner: st.one_of(
        st.builds(All, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Some, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Negation, inner),
    ),
    max_leaves=6,
)


def _fold_runs(store, drawn):
    """Fold runs, and give them as plain ones; those that go on are of a process that lives."""
    process = this_process()
    fold = Folder(store, "journal-q")
    fold(JournalOpened("journal-q", 1.0, process.host, process.boot_id, process.pid, process.started_at))
    plain = []
    for order, one in enumerate(drawn):
        run_id = f"r{order}"
        is_over, ended = one["status"] != "Running", one["ended"] or 11.0
        run = PlainRun(
            run_id, order, order + 1, one["status"], one["name"], one["type"], created=one["created"],
            started=one["started"], ended=ended if is_over else None, tags=one["tags"],
            properties=one["properties"], metrics={name: values[-1] for name, values in one["metrics"].items()},
        )  # fmt: skip
        fold(
            RunCreated(run_id, one["created"], "exp", None, one["name"], one["type"]),
            *([StatusSet(run_id, one["started"], RunStatus.RUNNING)] if one["started"] else []),
            TagsSet(run_id, 1.0, one["tags"]), PropertiesAdded(run_id, 1.0, one["properties"]),
        )  # fmt: skip
        if not one["started"] and not is_over:
            run.status = "NotStarted"
        for name, values in one["metrics"].items():
            fold(*points(values, name, run_id))
        if is_over:
            fold(StatusSet(run_id, ended, RunStatus(one["status"])))
        plain.append(run)
    return plain


class QueryContract:
    @pytest.fixture
    def few_looked_at(self, monkeypatch):
        """Have few runs looked at before all are."""
        monkeypatch.setattr(search, "_LOOKED_AT", 3)
        monkeypatch.setattr(search, "_FEW", 2)

    @pytest.mark.usefixtures("few_looked_at")
    @settings(
        max_examples=int(os.environ.get("RUNWIDGETS_QUERY_EXAMPLES", "100")), deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip
    @given(drawn=RUNS, condition=CONDITIONS, order=FIELDS, falls=st.booleans(), limit=st.integers(1, 3))
    def test_what_is_found_is_what_a_plain_look_at_each_run_finds(  # noqa: PLR0917 (drawn)
        self, make_fresh_store, drawn, condition, order, falls, limit
    ):
        store = make_fresh_store()
        plain = _fold_runs(store, drawn)
        wanted = [run for run in plain if holds(condition, run)]
        query = RunQuery(experiment="exp", where=condition)
        assert store.find(query) == [run.run_id for run in reversed(wanted)]
        assert store.count(query) == len(wanted)
        if order.kind is FieldKind.DURATION and any(run.ended is None and run.started for run in wanted):
            return  # of one that goes on it is not the same a moment later
        query = structs.replace(query, order_by=order, descending=falls)
        whole = ordered(wanted, order, descending=falls)
        assert store.find(query) == whole
        assert _pages(store, structs.replace(query, limit=limit)) == whole
        for place, run_id in enumerate(whole):
            before = structs.replace(query, after=run_id, limit=limit)
            assert store.find(before) == whole[max(0, place - limit) : place]
            between = structs.replace(before, before=whole[0])
            assert store.find(between) == whole[1:place][:limit]
            assert store.find(structs.replace(query, offset=place, limit=limit)) == whole[place : place + limit]

    def test_runs_are_found_by_a_filter(self, store, fold):
        fold(
            RunDescribed("run", 11.0, "Straße 7"),
            TagsSet("run", 11.0, {"model": "ridge", "alpha": "0.1", "empty": None}),
            *(created(one, at) for at, one in enumerate("abcd", 20)),
            TagsSet("a", 11.0, {"model": "lasso", "alpha": "10"}), TagsSet("b", 11.0, {"alpha": "much"}),
            PropertiesAdded("c", 11.0, {"git": "007"}),
            *points([5000.0, 2900.0], "mse"), *points([math.nan], "mse", "a"), *points([math.inf], "mse", "b"),
            *points(["done"], "mse", "c"), rows({"x": [1]}, "mse", "d"),
            status(RunStatus.COMPLETED), status(RunStatus.FAILED, "a"), status(RunStatus.COMPLETED, "c", at=27.0),
        )  # fmt: skip
        expected = {
            'metrics.mse < 3000 and tags.model = "ridge" and status = completed': ["run"],
            "metrics.mse > 0": ["b", "run"],
            "metrics.mse = inf": ["b"],
            "metrics.mse = nan": ["a"],
            "metrics.mse != nan": ["c", "b", "run"],
            "metrics.mse != 2900": ["c", "b", "a"],
            "metrics.mse = done": ["c"],
            "metrics.mse in (done, nan, 2900)": ["c", "a", "run"],
            "metrics.mse exists": ["d", "c", "b", "a", "run"],
            "tags.alpha < 5": ["run"],
            "tags.alpha > 5": ["a"],
            'tags.alpha > "5"': ["b"],
            "tags.alpha = 0.10": ["run"],
            "tags.alpha != 0.1": ["b", "a"],
            "not tags.alpha = 0.1": ["d", "c", "b", "a"],
            "tags.empty exists": ["run"],
            "tags.empty = ''": [],
            'properties.git = 7 and properties.git = "007"': ["c"],
            'properties.git = "7"': [],
            "name ~ STRASSE": [],
            "name ~ STRAßE": ["run"],
            "'straSSe' or \"ße 7\"": ["run"],
            "EXP": ["d", "c", "b", "a", "run"],
            "lass": ["a"],
            "number in (1, 3)": ["b", "run"],
            "status = NotResponding": ["d", "b"],
            "status = NotStarted": [],
            "parent exists": [],
            "created >= 1970-01-01 and ended exists and not id = a": ["c", "run"],
        }
        found = {text: store.find(RunQuery(experiment="exp", where=parse_condition(text))) for text in expected}
        assert found == expected
        counts = {text: store.count(RunQuery(experiment="exp", where=parse_condition(text))) for text in expected}
        assert counts == {text: len(ids) for text, ids in expected.items()}

    def test_texts_of_users_are_never_part_of_a_statement(self, store, fold):
        hostile = ["' OR 1=1 --", '"; DROP TABLE runs; --', ":v0", "?", "%s", "{0}", "\\", "\0", "%", "_"]
        fold(*(TagsSet("run", 1.0, {text: text}) for text in hostile), created("other"))
        for text in hostile:
            field = Field(FieldKind.TAGS, text)
            for operator in Operator:
                found = store.find(RunQuery(where=Comparison(field, operator, text)))
                assert found == (["run"] if operator in {"=", "<=", ">=", "~"} else [])
            assert store.find(RunQuery(where=Membership(field, (text,)), order_by=field)) == ["run"]
            assert store.find(RunQuery(order_by=field, descending=True)) == ["run", "other"]
            assert store.find(RunQuery(where=Mention(text))) == ["run"]
            assert store.find(RunQuery(where=Existence(Field(FieldKind.METRICS, text)))) == []

    def test_a_run_that_goes_on_lasts_until_now_and_one_whose_process_is_gone_for_no_time(self, store):
        process = this_process()
        Folder(store, "living")(
            JournalOpened("living", 1.0, process.host, process.boot_id, process.pid, process.started_at),
            created("a"), status(RunStatus.RUNNING, "a"), created("c"), status(RunStatus.RUNNING, "c", 20.0),
            status(RunStatus.COMPLETED, "c", 25.0),
        )  # fmt: skip
        Folder(store, "dead")(
            JournalOpened("dead", 1.0, process.host, "another start of this machine", process.pid, 5.0),
            created("b"), status(RunStatus.RUNNING, "b"),
        )  # fmt: skip
        expected = {
            "duration > 1w": ["a"], "duration = 5s": ["c"], "not duration exists": ["b"],
            "status = running": ["a"], "status = NotResponding": ["b"],
        }  # fmt: skip
        assert {text: store.find(RunQuery(where=parse_condition(text))) for text in expected} == expected
        duration, falls = parse_order("-duration")
        assert store.find(RunQuery(order_by=duration, descending=falls)) == ["a", "c", "b"]

    @pytest.mark.usefixtures("few_looked_at")
    def test_the_best_by_a_metric_are_found_wherever_they_are(self, store, fold):
        fold(*(created(f"r{n}") for n in range(8)), *(created(f"x{n}", experiment="other") for n in range(8)))
        for n in range(8):
            fold(*points([float(n // 2)], run_id=f"r{n}"), *points([-1.0], run_id=f"x{n}"))
            fold(TagsSet(f"r{n}", 1.0, {"odd": str(n % 2)}))
            if n != 5:  # which goes on
                fold(status(RunStatus.COMPLETED, f"r{n}"))
        metric = Field(FieldKind.METRICS, "m")
        query = RunQuery(experiment="exp", order_by=metric, limit=3)
        assert store.find(query) == ["r1", "r0", "r3"]
        assert store.find(structs.replace(query, descending=True)) == ["r7", "r6", "r5"]
        assert _pages(store, query) == ["r1", "r0", "r3", "r2", "r5", "r4", "r7", "r6", "run"]
        assert _pages(store, structs.replace(query, order_by="m")) == ["r1", "r0", "r3", "r2", "r5", "r4", "r7", "r6"]
        assert store.count(structs.replace(query, order_by="m")) == 8
        odd = structs.replace(query, where=parse_condition("tags.odd = 1 and metrics.m >= 1"))
        assert _pages(store, structs.replace(odd, limit=1)) == ["r3", "r5", "r7"]
        assert store.find(structs.replace(query, after="r5")) == ["r0", "r3", "r2"]
        assert store.find(structs.replace(query, after="run")) == ["r4", "r7", "r6"]
        between = structs.replace(query, order_by="m", before="r1", after="r4", limit=2)
        assert store.find(between) == ["r0", "r3"]
        assert store.find(structs.replace(query, before="unknown")) == []

    @pytest.mark.usefixtures("small_sizes")
    def test_a_running_run_is_filtered_and_placed_by_what_it_logged_last(self, store, fold):
        fold(created("a"), created("b"), *points([1.0] * 40, "loss", "a"), *points([2.0] * 40, "loss", "b"))
        fold(*points([3.0], "loss", "a"))
        by_loss = RunQuery(order_by=Field(FieldKind.METRICS, "loss"), limit=1)
        assert store.find(by_loss) == ["b"]
        assert store.find(structs.replace(by_loss, descending=True)) == ["a"]
        assert store.find(structs.replace(by_loss, where=parse_condition("metrics.loss > 2"))) == ["a"]
        assert store.find(structs.replace(by_loss, where=parse_condition("metrics.loss = 1"))) == []
        assert store.count(RunQuery(where=parse_condition("metrics.loss in (1, 2)"))) == 1

    def test_news_are_of_the_runs_that_a_filter_holds_for_now(self, store, fold):
        fold(*(created(f"r{n}") for n in range(3)), TagsSet("r1", 1.0, {"k": "1"}))
        query = RunQuery(experiment="exp", where=parse_condition("tags.k = 1"), limit=5)
        first = store.news(query, -1)
        assert ([one.run.run_id for one in first.runs], first.total) == (["r1"], 1)
        fold(TagsSet("r2", 1.0, {"k": "1"}), TagsSet("r0", 1.0, {"k": "2"}))
        assert [one.run.run_id for one in store.news(query, first.version).runs] == ["r2"]


def _pages(store, query):
    """Find all runs page by page."""
    found = []
    while page := store.find(structs.replace(query, before=found[-1] if found else None)):
        assert len(page) <= query.limit
        found += page
    return found
