# Every command first creates .venv if it is missing or outdated (tools/bootstrap.py): a minute or two
# the first time. Another Python: PYTHON=/path/to/python3.12 make test
PY := .venv/bin/python

TOY := data/toy
DEMO := work_dirs/bevdet_hybrid_toy
DEMO_CONFIG := configs/toy/bevdet_hybrid_toy.py

# Real data: a nuScenes root with one keyframe, and the days of KITTI raw (one drive will do). The
# configs read the same variables, from the environment.
HYBRID_DEPTH_NUSCENES ?= data/nuscenes_keyframe
HYBRID_DEPTH_KITTI ?= data/kitti
NEEDS = @test -d '$($(1))' || { echo 'error: expected $(2), got $(1)=$($(1)), which is not a \
	folder. Link it there, or: make $@ $(1)=FOLDER' >&2; exit 1; }
NEEDS_NUSCENES = $(call NEEDS,HYBRID_DEPTH_NUSCENES,a nuScenes root with one keyframe)
NEEDS_KITTI = $(call NEEDS,HYBRID_DEPTH_KITTI,a KITTI raw folder)

# Where the results of bench-keyframe and bench-kitti go, and what they train.
KEYFRAME ?= work_dirs/keyframe
KEYFRAME_CONFIG ?= configs/bevdet/bevdet_r18_1xb1-300iter_nus-keyframe_256x704.py
DRIVE := work_dirs/kitti_drive
DRIVE_CONFIG := configs/monodepth2/monodepth2_r18_1xb2-15e_kitti-drive_192x640.py

TOY_VIDEO := data/toy_kitti
TOY_DRIVE := data/toy_drive
TOY_EMBODIED := data/toy_kitti_embodied
TOY_TEXT := data/toy_kitti_text
TOY_LANES := data/toy_lanes
TOY_RIG_VIDEO := data/toy_video

# The interpreters of test-matrix, and its tests: those of torch, numpy, mmdet3d, the devkit and the
# towers, without complete trainings and command lines, which take minutes. All tests:
# make test-matrix MATRIX_TESTS=tests
PYTHON_oldest ?= python3.10
PYTHON_newest ?= python3.13
MATRIX_TESTS := $(addprefix tests/,bev checkpoints depth/encoders foundation geometry losses ops)

.DEFAULT_GOAL := help
.PHONY: help setup lock demo video docs test test-all fuzz test-matrix lint bench bench-gpu bench-keyframe bench-kitti bench-ground bench-depth-toy bench-bev-depth bench-fb-bev bench-embodied bench-robustness bench-towers

help:
	@echo 'make demo            toy world, training, score (mAP, NDS) and visualizations'
	@echo 'make video           40 seconds of the demo in another street: boxes, tracks, depth, BEV'
	@echo 'make test            the tests; make test-all adds the slow ones'
	@echo 'make fuzz            damaged files and records, thousands per kind'
	@echo 'make test-matrix     five minutes of tests with the oldest and the newest supported versions'
	@echo 'make lint            ruff: format and rules'
	@echo 'make docs            the documentation site, in site/; a broken link or name is an error'
	@echo 'make lock            the newest versions that requirements/ allows, into its lock files'
	@echo 'make bench           BEV pooling and hybrid encoder: time and memory'
	@echo 'make bench-gpu       on a GPU: pooling kernels and whole models, checked and timed'
	@echo 'make bench-keyframe  overfit one real nuScenes keyframe: HYBRID_DEPTH_NUSCENES=FOLDER'
	@echo 'make bench-kitti     train depth on the frames of one KITTI drive: HYBRID_DEPTH_KITTI=FOLDER'
	@echo 'make bench-ground    scale by camera height against LiDAR: both folders'
	@echo 'make bench-depth-toy study of depth models on toy video; resumable'
	@echo 'make bench-bev-depth study of depth supervision of a toy detector; resumable'
	@echo 'make bench-embodied  studies of embodied depth on toy video; resumable'
	@echo 'make bench-fb-bev    study of FB-BEV and BEVDet on the toy world; resumable'
	@echo 'make bench-robustness study of toy detectors under corruptions and on other rigs; resumable'
	@echo 'make bench-towers    small CLIP and DINO towers that know the toy world; resumable; needs lightly'
	@echo 'Each first creates .venv if it is missing or outdated.'

setup:
	@python3 tools/bootstrap.py

LOCK := $(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.10 --no-build \
	--annotation-style line --custom-compile-command 'make lock' \
	$(addprefix requirements/,runtime.txt bev.txt export.txt viewer.txt docs.txt tests.txt)

lock: setup
	$(LOCK) --output-file requirements/lock.txt
	$(LOCK) --output-file requirements/lock-oldest.txt --resolution lowest-direct

# Existing parts are kept while they are up to date, and an interrupted training is resumed: `rm -r
# data/toy work_dirs/bevdet_hybrid_toy` for a new start.
demo: $(TOY)/nuscenes_infos_val.pkl
	$(PY) tools/train.py $(DEMO_CONFIG) --work-dir $(DEMO) --resume
	$(PY) tools/test.py $(DEMO_CONFIG) "$$(cat $(DEMO)/last_checkpoint)" --work-dir $(DEMO) \
		--show-dir $(DEMO)/visualizations
	@echo 'Weights, metrics.json and visualizations are in $(DEMO)'

# create_nuscenes_infos.py writes this file last.
$(TOY)/nuscenes_infos_val.pkl: $(TOY)/toy_world.json
	$(PY) tools/create_nuscenes_infos.py --root $(TOY) --version v1.0-mini

# Looked at each time: a world of other parameters is made again, or refused if it has other files in
# it, such as those above.
$(TOY)/toy_world.json: setup
	@$(PY) tools/make_toy_world.py $(TOY) --keep --keyframes 16 --size 256x144

# A street that the demo's detector has not seen, 80 key frames at 2 Hz.
video: $(TOY_DRIVE)/nuscenes_infos_val.pkl $(DEMO)/last_checkpoint
	$(PY) tools/infer_bev.py $(TOY_DRIVE)/nuscenes_infos_val.pkl $(DEMO)/drive --all --video mp4 --tracks \
		--config $(DEMO_CONFIG) --checkpoint "$$(cat $(DEMO)/last_checkpoint)"
	@echo 'The video:' $(DEMO)/drive/*.mp4

$(DEMO)/last_checkpoint:
	$(MAKE) demo

$(TOY_DRIVE)/nuscenes_infos_val.pkl: $(TOY_DRIVE)/toy_world.json
	$(PY) tools/create_nuscenes_infos.py --root $(TOY_DRIVE) --version v1.0-mini

$(TOY_DRIVE)/toy_world.json: setup
	@$(PY) tools/make_toy_world.py $(TOY_DRIVE) --keep --scenes 2 --keyframes 80 --size 256x144 --seed 1

docs: setup
	$(PY) -m mkdocs build --strict --quiet
	@echo 'The site is in site/: open site/index.html; its search needs a server:'
	@echo '$(PY) -m http.server --bind 127.0.0.1 --directory site'

# Two workers with a thread each; a file's tests stay together, as they share fixtures.
PYTEST = OMP_NUM_THREADS=1 $(PY) -m pytest --numprocesses 2 --dist loadfile

test: setup
	$(PYTEST) -m 'not slow'

test-all: setup
	$(PYTEST)

# Other damaged files and records each time, this many per kind.
EXAMPLES ?= 2000
fuzz: export HYBRID_DEPTH_FUZZ := $(EXAMPLES)
fuzz: setup
	$(PYTEST) tests/fuzz

test-matrix: matrix-oldest matrix-newest

matrix-%: PY = .matrix/$*/bin/python
matrix-%:
	@PYTHON=$(PYTHON_$*) python3 tools/bootstrap.py --matrix $*
	$(PYTEST) -m 'not slow' $(MATRIX_TESTS)

lint: setup
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

bench: setup
	$(PY) tools/benchmark.py pooling
	$(PY) tools/benchmark.py depth-step

# Without a card: tiny sizes in Triton's interpreter, and the toy models. With one: 8 minutes.
bench-gpu: setup
	$(PY) tools/benchmark.py gpu

# The keyframe's scene may be of either split of v1.0-mini: train and test on the one that has it.
bench-keyframe: export HYBRID_DEPTH_NUSCENES := $(HYBRID_DEPTH_NUSCENES)
# the config wants it relative to here
bench-keyframe: export HYBRID_DEPTH_INFOS = $(shell python3 -c "import os; print(os.path.relpath('$(KEYFRAME)'))")
bench-keyframe: setup
	$(NEEDS_NUSCENES)
	$(PY) tools/create_nuscenes_infos.py --root $(HYBRID_DEPTH_NUSCENES) --version v1.0-mini \
		--out $(KEYFRAME)
	export HYBRID_DEPTH_SPLIT=$$($(PY) -c "from hybrid_depth.info_files import read_infos as read; \
		print('train' if read('$(KEYFRAME)/nuscenes_infos_train.pkl')['data_list'] else 'val')") && \
	$(PY) tools/train.py $(KEYFRAME_CONFIG) --work-dir $(KEYFRAME) && \
	$(PY) tools/test.py $(KEYFRAME_CONFIG) "$$(cat $(KEYFRAME)/last_checkpoint)" \
		--work-dir $(KEYFRAME) --show-dir $(KEYFRAME)/visualizations

bench-kitti: export HYBRID_DEPTH_KITTI := $(HYBRID_DEPTH_KITTI)
bench-kitti: export HYBRID_DEPTH_TRUTH := $(DRIVE)/gt
bench-kitti: setup
	$(NEEDS_KITTI)
	$(PY) tools/prepare_kitti.py export-gt $(HYBRID_DEPTH_KITTI) $(DRIVE)/gt --split all
	$(PY) tools/train.py $(DRIVE_CONFIG) --work-dir $(DRIVE) --resume
	$(PY) tools/test.py $(DRIVE_CONFIG) "$$(cat $(DRIVE)/last_checkpoint)" \
		--work-dir $(DRIVE)/test --show-dir $(DRIVE)/visualizations
	$(PY) tools/benchmark.py learning $(DRIVE)

bench-ground: setup
	$(NEEDS_KITTI)
	$(NEEDS_NUSCENES)
	$(PY) tools/benchmark.py ground-scale --kitti $(HYBRID_DEPTH_KITTI) \
		--nuscenes $(HYBRID_DEPTH_NUSCENES)

bench-depth-toy: $(TOY_VIDEO)/gt/toy/export.json $(TOY_LANES)/toy_world.json
	$(PY) tools/benchmark.py depth-toy
	$(PY) tools/benchmark.py multi-frame

bench-bev-depth: $(TOY)/nuscenes_infos_val.pkl $(TOY_RIG_VIDEO)/toy_world.json
	$(PY) tools/benchmark.py bev-depth

bench-fb-bev: $(TOY)/nuscenes_infos_val.pkl
	$(PY) tools/benchmark.py fb-bev

bench-robustness: $(TOY)/nuscenes_infos_val.pkl
	$(PY) tools/benchmark.py robustness-toy

# DINO also sees the frames of HYBRID_DEPTH_KITTI, where it is set.
bench-towers: setup
	$(PY) tools/benchmark.py towers

bench-embodied: $(TOY_VIDEO)/gt/toy/export.json $(TOY_TEXT)/features.safetensors
	$(PY) tools/benchmark.py embodied
	$(PY) tools/benchmark.py embodied-self
	$(PY) tools/benchmark.py embodied-labels --root $(TOY_VIDEO)

# The toy's streets have no kerb.
$(TOY_EMBODIED)/planes.json: $(TOY_VIDEO)/toy_world.json
	$(PY) tools/make_embodied_depth.py $(TOY_VIDEO) $(TOY_EMBODIED) --kerb-height 0 \
		--labels $(TOY_VIDEO)/semantic --instances $(TOY_VIDEO)/instance

$(TOY_TEXT)/features.safetensors: $(TOY_EMBODIED)/planes.json
	$(PY) tools/make_text_features.py $(TOY_VIDEO)/captions.jsonl $(TOY_TEXT) \
		--embodied $(TOY_EMBODIED) --instances $(TOY_VIDEO)/instance --pretrained none

$(TOY_RIG_VIDEO)/toy_world.json: setup
	@$(PY) tools/make_toy_world.py $(TOY_RIG_VIDEO) --keep --keyframes 16 --sweeps 5 --size 256x144

$(TOY_VIDEO)/toy_world.json: setup
	@$(PY) tools/make_toy_world.py $(TOY_VIDEO) --keep --layout kitti

$(TOY_VIDEO)/gt/toy/export.json: $(TOY_VIDEO)/toy_world.json
	$(PY) tools/prepare_kitti.py export-gt $(TOY_VIDEO) $(TOY_VIDEO)/gt/toy \
		--split splits/toy/val_files.txt --source improved

$(TOY_LANES)/toy_world.json: setup
	@$(PY) tools/make_toy_world.py $(TOY_LANES) --keep --layout tusimple
