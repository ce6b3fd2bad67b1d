"""`agora quote`: what an order would cost, whether it would be let in, and what is expected of it."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table

from marketplace.buying.phrases import condition_text
from marketplace.buying.purchase import DEFAULT_SLOT_S, Questions, Wishes
from marketplace.buying.quote import Quoted, ask_quote
from marketplace.commands.display import console, delta_text
from marketplace.commands.forecasts import forecast_document, forecast_lines, noise_table
from marketplace.commands.keys import AsJson
from marketplace.commands.offers import title_text, unit_lines
from marketplace.commands.purchases import question_text, questions_text
from marketplace.commands.session import Session
from marketplace.commands.wishes import (
    Cell,
    Curves,
    Dishonest,
    GeneratorName,
    Marginals,
    Only,
    QuestionsFile,
    Rows,
    asked_in,
    check_alone,
    conditions_of,
    workload_of,
)
from marketplace.protocol.amounts import euro_text
from marketplace.protocol.analysis import AnalysisSpecification
from marketplace.protocol.pool import TWIN_GENERATOR
from marketplace.protocol.quote import Expectation
from marketplace.protocol.rho import DELTA_UNIT
from marketplace.protocol.specification import standing_in
from marketplace.terminal import guarded, parse_offer, plain, say, show_json

WAYS = {"l1_1way": " (columns)", "l1_2way": " (pairs)", "l1_3way": " (triples)"}
OfferArgument = Annotated[str, typer.Argument(metavar="OFFER", help="The offer's id.")]
Slot = Annotated[int, typer.Option(min=1, help="Seconds between the times at which a delivery may be posted.")]


@guarded
def quote(
    offer: OfferArgument,
    rows: Rows = None,
    workload: Marginals = None,
    curve: Curves = None,
    only: Only = None,
    generator: GeneratorName = None,
    questions: QuestionsFile = None,
    threshold: Dishonest = 1,
    cell: Cell = None,
    slot: Slot = DEFAULT_SLOT_S,
    as_json: AsJson = False,
) -> None:
    """Ask the provider's node what to expect of an order of OFFER. Costs nothing; no record is opened for it."""
    offer_id = parse_offer(offer)
    client = Session.begin().client()
    conditions = conditions_of(only, client.entry(offer_id).schema) if only else ()
    wishes: Wishes | Questions
    if questions:
        check_alone(rows, workload, curve, generator)
        wishes = asked_in(questions, conditions, threshold, slot, cell=cell)
    else:
        wishes = Wishes(rows, workload_of(workload, curve), slot, only=conditions, generator=generator)
    quoted = ask_quote(client, offer_id, wishes)
    if as_json:
        show_json(_document(quoted))
        return
    for line in _terms(quoted):
        print(plain(line))
    expectation, forecast = quoted.quote.expectation, quoted.quote.forecast
    if forecast is not None:
        for line in forecast_lines(forecast):
            print(plain(line))
        if forecast.noise and isinstance(quoted.specification, AnalysisSpecification):
            console().print(noise_table(forecast, quoted.specification))
    if expectation is not None:
        console().print(_scores(expectation))
        for line in _advice(expectation, narrowed=bool(conditions)):
            say(line)


def _terms(quoted: Quoted) -> Iterator[str]:
    entry, order, answer = quoted.entry, quoted.specification, quoted.quote
    if isinstance(order, AnalysisSpecification):
        yield f"{title_text(entry)}: {questions_text(order, len(entry.sources))}"
        yield from (f"  asked       {question_text(analysis)}" for analysis in order.analyses)
    else:
        schema = entry.description.schema
        rows = "persons, each with its rows," if schema.is_linked else "rows"
        generator = TWIN_GENERATOR if len(entry.sources) > 1 else standing_in(order.generator, schema)
        pooled = f" of {len(entry.sources)} parties" if len(entry.sources) > 1 else ""
        yield f"{title_text(entry)}: {order.rows:,} synthetic {rows}{pooled} by {generator}"
    yield from (f"  only where  {condition_text(condition)}" for condition in order.only)
    yield f"  price       {euro_text(answer.price_units)}"
    promise = f"epsilon {answer.epsilon}, delta {delta_text(answer.delta_atto)}" if answer.epsilon else "exact"
    yield f"  guarantee   {promise}, rho {answer.rho_micro:,} micro"
    if len(entry.sources) > 1:
        yield from (f"  {name:<11} {words}" for name, words in unit_lines(entry))
    yield f"  made from   about {entry.rows_declared:,} rows declared"
    if answer.expectation is not None:
        yield f"  made in     about {answer.expectation.seconds:,} s of one processor"
    yield f"  let in      {'yes' if answer.refusal is None else f'no: {answer.refusal.words}'}"
    if answer.unknown is not None:
        yield f"  expected    nothing is foretold: {answer.unknown}"


def _scores(expectation: Expectation) -> Table:
    """The expected scores for people, readable from 70 columns on."""
    table = Table(title="expected scores: distances, 0 is best", title_justify="left", box=None, pad_edge=False)
    table.add_column("score")
    for head in ("expected", "8 of 10 in", "19 of 20 in", "shuffle", "sampling"):
        table.add_column(head, justify="right")
    for score in expectation.scores:
        ends = (f"{low[:-1]} - {high[:-1]}" for low, high in (score.likely, score.wide))
        floor = "" if score.floor is None else score.floor[:-1]
        name = f"{score.name}{WAYS.get(score.name, '')}"
        table.add_row(plain(name), score.value[:-1], *ends, floor, score.ceiling[:-1])
    return table


def _advice(expectation: Expectation, narrowed: bool) -> Iterator[str]:
    yield (
        f"Expected by {expectation.runs} runs of {expectation.generator} on {expectation.tables} public tables, from the "
        "schema, the declared rows, rho and your wishes. No record was opened; nothing of it is promised."
    )
    if expectation.decisive is not None:
        judged = "worse" if expectation.below_floor else "better"
        yield f"By {expectation.decisive}, the rows are expected to be {judged} than a shuffle of the columns."
    if expectation.rows_needed is not None:
        yield f"With about {expectation.rows_needed:,} records like these in all, as in a pool, they would be better."
    if narrowed:
        yield "How many records meet the conditions is taken from the schema alone, as even shares; the ends allow for that."
    for score in expectation.scores:
        if float(score.likely[0]) == 0 and score.likely == score.wide:
            yield f"Nothing is foretold of {score.name}: noise would hide it, or no runs like it are on record."
    if expectation.beyond:
        yield "This order lies beyond those runs, so that the ends may be too narrow."


def _document(quoted: Quoted) -> dict[str, Any]:
    order, answer = quoted.specification, quoted.quote
    refusal = answer.refusal and {"code": answer.refusal.code.name.lower(), "words": answer.refusal.words}
    asked: dict[str, Any] = (
        {"analyses": [analysis.document() for analysis in order.analyses]}
        if isinstance(order, AnalysisSpecification)
        else {"rows": order.rows, "generator": standing_in(order.generator, quoted.entry.description.schema)}
    )
    return {
        "offer": order.offer.hex(),
        **asked,
        "only": [condition.document() for condition in order.only],
        "price_units": answer.price_units,
        "rho_micro": answer.rho_micro,
        "delta": answer.delta_atto / DELTA_UNIT,
        "epsilon": None if answer.epsilon is None else float(answer.epsilon),
        "privacy_unit": quoted.entry.view.offer.head.unit.word,
        "refusal": refusal,
        "expectation": answer.expectation and answer.expectation.document(),
        "unknown": answer.unknown,
        "forecast": answer.forecast and forecast_document(answer.forecast),
    }
