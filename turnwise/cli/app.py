"""All commands under the name turnwise, in the order in which its help lists them."""

from typing import Annotated

import typer

from turnwise.cli import results, runs, tasks

app = typer.Typer(
    name="turnwise",
    help="Measure how language models write code over several turns with execution feedback.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
prompts_app = typer.Typer(help="The prompts, filled in.", no_args_is_help=True, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        import turnwise

        print(f"turnwise {turnwise.__version__}")
        raise typer.Exit


app.command("tasks")(tasks.tasks)
app.command("tasks-path")(tasks.tasks_path)
app.command("check")(tasks.check)
app.command("run")(runs.run)
app.command("sample")(runs.sample)
app.command("submit")(runs.submit)
app.command("status")(runs.status)
app.command("collect")(runs.collect)
app.command("cancel")(runs.cancel)
app.command("resume")(runs.resume)
app.command("worker", hidden=True)(runs.worker)
app.command("grid")(runs.grid)
app.command("judge")(runs.judge)
app.command("score")(results.score)
app.command("compare")(results.compare)
app.command("publish")(results.publish)
app.command("plot")(results.plot)
app.command("noise")(results.noise)
app.command("doctor")(tasks.doctor)
app.command("export")(results.export_run)
app.command("import")(results.import_run)
app.command("demo")(runs.demo)
app.add_typer(prompts_app, name="prompts")
prompts_app.command("show")(tasks.show_prompts)
