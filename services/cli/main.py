"""The program `govbus`: every command in one place; a new one is one line here."""

import typer

from services.cli import (
    accept_schema,
    account,
    api,
    audit,
    bench,
    case,
    catalogue,
    chaos,
    claims,
    clock,
    conflicts,
    credential,
    database,
    demo,
    doctor,
    explain,
    grant,
    identity,
    plan,
    policy_packs,
    prepare,
    publish,
    quarantine,
    stack,
    tail,
    ticket,
)

app = typer.Typer(
    name="govbus",
    help="One source per fact, exactly to the departments that may see it, with proof of every step.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(identity.app, name="identity")
app.add_typer(account.app, name="account")
app.add_typer(api.app, name="api")
app.add_typer(audit.app, name="audit")
app.add_typer(bench.app, name="bench")
app.add_typer(chaos.app, name="chaos")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(case.app, name="case")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(claims.app, name="claims")
app.add_typer(clock.app, name="clock")
app.add_typer(conflicts.app, name="conflicts")
app.add_typer(credential.app, name="credential")
app.add_typer(grant.app, name="grant")
app.add_typer(policy_packs.app, name="policy")
app.add_typer(database.app, name="database")
app.add_typer(ticket.app, name="ticket")
stack.register(app)
prepare.register(app)
demo.register(app)
doctor.register(app)
plan.register(app)
explain.register(app)
tail.register(app)
publish.register(app)
accept_schema.register(app)
