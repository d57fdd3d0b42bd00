"""The commands that train networks and make presets of them."""

import json

from rcn_keras.cli_output import cropped, reported, say


def train(options):
    """Trains a recipe."""
    from rcn_keras.errors import InputError
    from rcn_keras.training import recipes

    changes = _overrides(options)
    try:
        recipe = recipes.get_recipe(options.recipe, **changes)
    except ValueError as error:
        raise InputError(str(error)) from None
    from rcn_keras.data.sets import load_training
    from rcn_keras.data.three_hundred_w import TRAINING, counts
    from rcn_keras.layout import FACE_68
    from rcn_keras.training.fit import BEST, check_folder
    from rcn_keras.training.fit import train as fit

    check_folder(options.out, recipe, options.resume)
    training, validation = load_training(
        options.data,
        cropped,
        recipes.layout(recipe),
        options.allow_missing,
    )
    if training.layout.name == FACE_68.name:
        say(f"300-W: {counts(training.faces + validation.faces, TRAINING)}")
    strategy = None
    if options.multi_gpu:
        from rcn_keras.data.pipeline import all_gpus

        strategy = all_gpus()
    fit(
        recipe,
        reported(training),
        reported(validation),
        options.out,
        resume=options.resume,
        strategy=strategy,
        echo=lambda line: print(line, flush=True),
    )
    print(f"best weights: {options.out / BEST}")
    return 0


def reproduce(options):
    """Trains and measures the rows of a table of the paper; resumable."""
    from rcn_keras.data.sets import load_test_set, load_training
    from rcn_keras.errors import InputError
    from rcn_keras.layout import FACE_68
    from rcn_keras.reproduction.table4 import reproduce_table4
    from rcn_keras.reproduction.tables import reproduce, table_recipes

    names = table_recipes(options.table, options.recipes)
    results = options.results or options.out / f"{options.table}.csv"
    data, missing = options.data, options.allow_missing
    if options.table == "table4":
        if options.afw:
            raise InputError("table4 is measured on 300-W's test faces: without --afw")
        training, validation = load_training(data, cropped, FACE_68, missing)
        measured = load_test_set(data, "300w", cropped, FACE_68, missing)
        sets, make = [measured], reproduce_table4
    else:
        if missing:
            raise InputError(f"--allow-missing is of table4's 300-W: {options.table}")
        training, validation = load_training(data, cropped)
        measured = {"aflw": load_test_set(data, "aflw", cropped)}
        if options.afw:
            measured["afw"] = load_test_set(options.afw, "afw", cropped)
        sets, make = measured.values(), reproduce
    for crops in (training, validation, *sets):
        reported(crops)
    make(
        names,
        training,
        validation,
        measured,
        options.out,
        results,
        echo=lambda line: print(line, flush=True),
        **_overrides(options),
    )
    print(f"written: {results}")
    return 0


def pack(options):
    """Packs the cropped training faces into files, to train without the data set."""
    from rcn_keras.cli_output import progress
    from rcn_keras.data.packed import pack as write
    from rcn_keras.data.sets import load_training
    from rcn_keras.layout import FACES

    data, missing = options.data, options.allow_missing
    layout = FACES[options.keypoints]
    training, validation = load_training(data, cropped, layout, missing)
    names = write(
        reported(training),
        reported(validation),
        options.out,
        options.megabytes,
        lambda done, total: progress(done, total, "faces packed"),
    )
    print("\n".join(str(options.out / name) for name in names))
    return 0


def train_many(options):
    """Trains several recipes at once on one accelerator, within given minutes."""
    from rcn_keras.training.side_by_side import archive, read_jobs, train_side_by_side

    jobs = read_jobs(options.jobs)
    settings = (options.data, options.out, options.parallel, options.minutes)
    echo = lambda line: print(line, flush=True)  # noqa: E731
    states = train_side_by_side(jobs, *settings, echo=echo)
    if options.archive:
        for path in archive(jobs, options.out, options.archive):
            print(path)
    unfinished = [
        f"{name} {state}" for name, state in states.items() if state != "done"
    ]
    if unfinished:
        say(f"unfinished: {', '.join(unfinished)}")
        return 1 if len(unfinished) < len(jobs) else 2
    return 0


def make_preset(options):
    """Turns a finished training into a preset: calibrated on validation."""
    from rcn_keras.data.sets import load_test_set
    from rcn_keras.presets import check_free
    from rcn_keras.presets.card import check_results, write_card
    from rcn_keras.training.publish import publish
    from rcn_keras.training.recipes import layout, read_recipe

    recipe = read_recipe(options.run_folder)
    check_free(options.out, recipe.model)
    check_results(options.results)
    validation = load_test_set(
        options.data, "validation", cropped, layout(recipe), options.allow_missing
    )
    config = publish(options.run_folder, reported(validation), options.out)
    write_card(options.out, options.results)
    print(json.dumps(config["validation"], indent=2))
    return 0


def join(options):
    """Makes the preset of a joint model from an RCN's and a denoiser's."""
    from rcn_keras.data.sets import load_test_set
    from rcn_keras.presets import check_free
    from rcn_keras.presets.card import check_results, write_card
    from rcn_keras.training.publish import joint_parts, publish_joint

    parts = joint_parts(options.rcn, options.denoiser)
    check_free(options.out, "joint")
    check_results(options.results)
    layout = parts["rcn"].model.layout
    validation = load_test_set(
        options.data, "validation", cropped, layout, options.allow_missing
    )
    config = publish_joint(parts, reported(validation), options.out)
    write_card(options.out, options.results)
    print(json.dumps(config["fitted"], indent=2))
    print(json.dumps(config["validation"], indent=2))
    return 0


def _overrides(options):
    """What of a recipe the command line changes."""
    names = ("epochs", "seed", "batch_size", "patience", "precision")
    names += ("weights", "teacher")
    given = {name: getattr(options, name, None) for name in names}
    return {name: value for name, value in given.items() if value is not None}
