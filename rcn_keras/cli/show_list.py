"""`rcn-keras list`."""

import argparse

HELP = "The presets and the recipes."
EXAMPLE = "rcn-keras list"


def add_options(parser: argparse.ArgumentParser) -> None:
    pass


def run(options: argparse.Namespace) -> int:
    from rcn_keras.presets import list_presets
    from rcn_keras.training.recipe import layout
    from rcn_keras.training.recipes import RECIPES

    print("presets:")
    for name in list_presets():
        print(f"  {name}")
    print(
        "recipes (keypoints; epochs; the paper's error in %, paper grid, on AFLW or on "
        "300-W's common part):"
    )
    for name, recipe in RECIPES.items():
        paper = recipe.paper.get("aflw", recipe.paper.get("300w_common", ""))
        print(f"  {name:32} {layout(recipe).count:2} {recipe.epochs:4} {paper}")
    return 0
