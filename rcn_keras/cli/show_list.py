"""`rcn-keras list`."""

import argparse

from rcn_keras.cli.start import start_keras

HELP = "Lists the presets and the recipes."
EXAMPLE = "rcn-keras list"


def add_options(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    from rcn_keras.presets import list_presets
    from rcn_keras.runtime import installed_runtimes

    print("presets:")
    for name in list_presets():
        print(f"  {name}")
    if "keras" not in installed_runtimes():
        print("recipes: need Keras: pip install '.[tensorflow]' or '.[jax]'")
        return 0
    start_keras()
    from rcn_keras.training.recipe import layout
    from rcn_keras.training.recipes import RECIPES

    print(
        "recipes (keypoints; epochs; the paper's error in %, paper grid, on AFLW or on "
        "300-W's common part):"
    )
    for name, recipe in RECIPES.items():
        paper = recipe.paper.get("aflw", recipe.paper.get("300w_common", ""))
        print(f"  {name:32} {layout(recipe).count:2} {recipe.epochs:4} {paper}")
    return 0
