"""Studies of the claims: recipes differ in what they say, and choosing is apart from scoring."""

import json
from pathlib import Path

import pytest
from mmengine.config import DictAction

from benchmarks import claim_bev, claim_depth, claim_worlds, claims
from benchmarks.claims import chosen, missing_weights, plan, write_answers
from benchmarks.paired import DECISIVE_SEEDS
from benchmarks.study import REPOSITORY, RESULT, Run, formatted
from hybrid_depth.datasets.kitti.splits import KittiFrame
from hybrid_depth.engine.config import read_config

STUDY = Path('/study')
RATES = dict(pretrained=0.1, random=0.1)
WEIGHTS = {'model.encoder.clip.pretrained', 'model.encoder.dino.pretrained'}
STAGE_1 = {'model.init_cfg.checkpoint'}


def flat(node, at=''):
    """Leaves of a config by their path."""
    if isinstance(node, dict):
        return {
            k: v
            for key, part in node.items()
            for k, v in flat(part, f'{at}.{key}'.lstrip('.')).items()
        }
    return {at: node}


def settings(run):
    """Leaves of the config of a run with its options."""
    cfg = read_config(REPOSITORY / run.config)
    values = (option.split('=', 1) for option in formatted(run.options, run, STUDY))
    cfg.merge_from_dict({k: DictAction._parse_iterable(v) for k, v in values})
    parts = ('model', 'train_dataloader', 'test_dataloader', 'test_evaluator', 'optim_wrapper')
    parts += ('param_scheduler', 'train_cfg')
    return flat({part: cfg[part] for part in parts})


def changed(first, second):
    """Settings of which two runs have different values, or only one of them has."""
    a, b = settings(first), settings(second)
    return {key for key in a.keys() | b.keys() if a.get(key) != b.get(key)}


@pytest.fixture(scope='module')
def depth():
    return {(run.name, run.seed): run for run in claim_depth.rows(RATES)}


@pytest.fixture(scope='module')
def bev():
    return {(run.name, run.seed): run for run in claim_bev.rows(0.1, labels=True)}


@pytest.mark.parametrize(
    ('first', 'second', 'differences'),
    [
        ('stages', 'text', STAGE_1 | {'model.init_cfg.type'}),
        ('stages', 'stages_plain', STAGE_1 | {'model.encoder.clip.pretrained'}),
        ('stages', 'stages_random', STAGE_1 | WEIGHTS),
        ('notext', 'notext_random', WEIGHTS),
        ('text', 'notext', {'model.encoder.text.num_tokens'}),
    ],
)
def test_recipes_differ_in_what_they_say(depth, first, second, differences):
    found = changed(depth[f'{first}_10', 0], depth[f'{second}_10', 0])
    found -= {'model.encoder.trainable'}  # the sentences where there are some
    assert found == differences


@pytest.mark.parametrize('alone', ['clip', 'dino', 'resnet18'])
def test_single_encoders_keep_the_rest_of_the_recipe(depth, alone):
    """Of the ResNet also its decoder and learning rate, as the toy ResNet has."""
    found = changed(depth[f'{alone}_10', 0], depth['notext_10', 0])
    kept = ('model.encoder', 'optim_wrapper.paramwise_cfg')
    own = ('model.decoder', 'model.channels_last', 'optim_wrapper.optimizer.lr')
    allowed = kept + (own if alone == 'resnet18' else ())
    assert found and all(key.startswith(allowed) for key in found)


def test_amounts_of_data_differ_in_their_list_alone(depth):
    for percent in (30, 100):
        found = changed(depth['stages_10', 0], depth[f'stages_{percent}', 0])
        assert found == {'train_dataloader.dataset.split'}


def test_stages_1_differ_in_their_towers():
    first, *others = (run for run in claim_depth.alignments(RATES) if run.seed == 0)
    assert [run.name for run in others] == ['stage1_plain', 'stage1_random']
    assert changed(first, others[0]) == {'model.encoder.clip.pretrained'}
    assert changed(first, others[1]) == WEIGHTS


@pytest.mark.parametrize(
    ('first', 'second', 'differences'),
    [
        ('bevdet_lidar_random', 'bevdet_lidar_towers', ('.pretrained', '.lr_mult')),
        ('bevdet_lidar_random', 'bevdet_lidar_stages', ('init_cfg', '.lr_mult')),
        ('bevdet_lidar_random', 'bevdet_none_random', ('depth_supervision', '.pipeline')),
        ('bevdet_lidar_random', 'bevdet_both_random', ('depth_supervision', '.pipeline', 'where')),
        ('bevdet_lidar_random', 'fbbev_lidar_random', ('model.refine',)),
    ],
)
def test_detectors_differ_in_what_they_say(bev, first, second, differences):
    found = changed(bev[first, 0], bev[second, 0])
    assert found and all(any(part in key for part in differences) for key in found), found


def test_frames_are_nested_whole_drives_and_fixed_by_the_seed():
    frames = [KittiFrame(f'd{d}', n, 'l') for d in range(20) for n in range(3)]
    parts = [claim_worlds.some_frames(frames, percent, 0) for percent in claim_worlds.FRACTIONS]
    assert [len(part) for part in parts] == [6, 18, 60]
    assert set(parts[0]) < set(parts[1]) < set(parts[2]) == set(frames)
    assert parts[0] == claim_worlds.some_frames(frames, 10, 0)
    assert parts[0] != claim_worlds.some_frames(frames, 10, 1)


@pytest.mark.parametrize('study', [claim_depth, claim_bev])
def test_nothing_is_scored_where_something_is_chosen(study, depth, bev):
    rows = (depth if study is claim_depth else bev).values()
    choices = study.choices().values()
    choices = (
        [run for group in choices for run in group.values()] if study is claim_depth else choices
    )

    def worlds(run):
        options = [*run.options, *(o for _, further in run.elsewhere for o in further)]
        tested = [o for o in options if o.startswith('test_')]
        names = {
            option.split('/worlds/')[1].split('/')[0] for option in tested if '/worlds/' in option
        }
        return {name.removesuffix('_truth') for name in names}

    assert all('choice' not in worlds(run) and 'scored' in worlds(run) for run in rows)
    assert all(worlds(run) == {'choice'} for run in choices)
    assert not {run.name for run in rows} & {run.name for run in choices}
    assert all('worlds/train' in ''.join(run.options) for run in rows)


def test_worlds_share_no_scene_with_others():
    """Scenes depend on the seed: transfer has the scored scenes, nothing else a common one."""
    depth = {name: world['seed'] for name, world in claim_worlds.WORLDS.items()}
    assert depth.pop('high') == depth.pop('textures') == depth['scored']
    assert depth.pop('lanes') == depth['train']
    seeds = [*depth.values(), *(world['seed'] for world in claim_bev.WORLDS.values())]
    assert len(set(seeds)) == len(seeds) and 0 not in seeds  # 0: data/toy*, of older recipes


@pytest.mark.parametrize('study', [claim_depth, claim_bev])
def test_decisive_rows_have_all_seeds_and_come_first(study, depth, bev):
    runs = list(depth.values() if study is claim_depth else bev.values())
    decisive = {row for question in study.QUESTIONS for row in question.rows}
    names = {run.name for run in runs}
    assert decisive < names
    for name in names:
        seeds = [run.seed for run in runs if run.name == name]
        assert seeds == list(range(DECISIVE_SEEDS if name in decisive else 1))
    count = len(decisive) * DECISIVE_SEEDS
    assert {run.name for run in runs[:count]} == decisive
    assert [run.seed for run in runs[:count]] == sorted(run.seed for run in runs[:count])
    assert len(names) == 27 if study is claim_depth else 24


def test_rows_wait_for_what_is_not_chosen_or_made():
    names = {run.name for run in claim_depth.rows(dict(pretrained=None, random=1.0))}
    assert {name.rsplit('_', 1)[0] for name in names} == {
        'resnet18',
        'stages_random',
        'notext_random',
    }
    names = {run.name for run in claim_bev.rows(None, labels=False)}
    assert names == {f'{d}_{s}_random' for d in ('bevdet', 'fbbev') for s in ('none', 'lidar')}


def test_a_run_waits_for_its_weights(tmp_path):
    run = Run('net', 'net.py', 1, ('a={study}/towers/dino.pth', 'b={study}/start_seed{seed}/x.pth'))
    wanted = [str(tmp_path / name) for name in ('towers/dino.pth', 'start_seed1/x.pth')]
    assert missing_weights(run, tmp_path) == wanted
    for name in wanted:
        Path(name).parent.mkdir()
        Path(name).touch()
    assert not missing_weights(run, tmp_path)


def test_the_best_candidate_is_chosen_when_all_have_run(tmp_path):
    runs = {rate: Run(f'choice_{rate}', 'net.py') for rate in (1.0, 0.1)}
    for rate, error in ((1.0, 0.2), (0.1, 0.3)):
        assert chosen(runs, tmp_path, 'error', True) is None
        finish(runs[rate], tmp_path, error=error)
    assert chosen(runs, tmp_path, 'error', True) == 1.0
    assert chosen(runs, tmp_path, 'error', False) == 0.1


def finish(run, study, **scores):
    """Write the result of a run."""
    run.folder(study).mkdir()
    result = dict(scores=scores, training_seconds=60)
    (run.folder(study) / RESULT).write_text(json.dumps(result))


def test_answers_of_an_unfinished_study(tmp_path, depth):
    """Two seeds of the first question's rows: tables and plots are there, nothing is decided."""
    runs = list(depth.values())
    for (name, seed), run in depth.items():
        if name in ('stages_10', 'stages_random_10') and seed < 2:
            error = 0.2 if 'random' in name else 0.1
            finish(run, tmp_path, **{claim_depth.SCORE: error})
    questions = claim_depth.QUESTIONS
    write_answers(runs, [], questions, tmp_path, claim_depth.METRICS)
    text = (tmp_path / 'answers.md').read_text()
    first, *_ = text.splitlines()
    assert first == (
        'Do pretrained towers help depth? 10 % of the drives: **not decided** (2 of 5 seeds); '
        '100 % of the drives: **not decided** (0 of 5 seeds).'
    )
    assert '`stages_random_10` | 2 | 0.1000 | 0.2000 | +0.1000, +0.1000 | not decided |' in text
    assert '| stages_10 | 2 | 0.1000 ± 0.0000 | - |' in text  # scores that the runs lack
    assert all((tmp_path / f'{question.name}.png').is_file() for question in questions)


def test_plan_counts_what_is_left(tmp_path):
    runs = [Run('a', 'one.py', seed) for seed in (0, 1)] + [Run('b', 'two.py')]
    finish(runs[0], tmp_path)
    lines = plan(runs, tmp_path, lambda run: 3600 if run.name == 'a' else 1800).splitlines()
    assert lines[1].split() == ['one.py', '2', '1', '60.0', '2.00']
    assert lines[-1] == '3 runs, 2.5 run-hours, 1.5 of them left'


def test_answers_are_written_again_and_failures_do_not_end_the_study(tmp_path, monkeypatch):
    """Eight rows in blocks of six, whose first fails; a run without its weights waits."""
    seen = []

    def run_study(runs, study, metrics, jobs, threads):
        seen.append([run.name for run in runs])
        if len(seen) == 1:
            raise SystemExit('1 of 6 runs failed')
        for run in runs:
            finish(run, study, **{claim_depth.SCORE: 0.1})

    monkeypatch.setattr(claims, 'run_study', run_study)
    runs = [Run(f'r{i}', 'net.py', options=('a={study}/no.pth',) * (i == 7)) for i in range(8)]
    claims.run_rows(runs, [], (), tmp_path, [claim_depth.SCORE], jobs=1)
    assert seen == [[f'r{i}' for i in range(6)], ['r6']]
    assert '| r6 | 1 | 0.1000 |' in (tmp_path / 'answers.md').read_text()
