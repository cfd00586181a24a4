"""Creation options are known, lossless and honest, or refused before anything is written."""

from __future__ import annotations

import pytest

from rsclass.errors import UsageError
from rsclass.io.creation import block_shape
from rsclass.io.sink import Writing


@pytest.mark.parametrize(
    ("option", "message"),
    [
        pytest.param("COMPRES=LZW", "Did you mean 'COMPRESS'", id="W04 misspelt name"),
        pytest.param("COMPRESS=defalte", "Did you mean 'DEFLATE'", id="W04 misspelt value"),
        pytest.param("COMPRESS=JPEG", "lossy", id="lossy"),
        pytest.param("COMPRESS=LERC", "lossy", id="lossy when MAX_Z_ERROR is set"),
        pytest.param("MAX_Z_ERROR=0.1", "lossy", id="lossy option"),
        pytest.param("NUM_THREADS=ALL_CPUS", "hides write errors", id="F2 threads"),
        pytest.param("num_threads=2", "hides write errors", id="F2 threads, lower case"),
        pytest.param("BIGTIFF=IF_NEEDED", "IF_SAFER", id="F3 BIGTIFF"),
        pytest.param("BIGTIFF=NO", "IF_SAFER", id="F3 no BIGTIFF"),
        pytest.param("OVERVIEW_RESAMPLING=AVERAGE", "class numbers", id="F8 overviews"),
        pytest.param("ZLEVEL=10", "1 to 9", id="level too high"),
        pytest.param("ZLEVEL=best", "1 to 9", id="level not a number"),
        pytest.param("ZSTD_LEVEL=3", "COMPRESS=ZSTD", id="level of another codec"),
        pytest.param("BLOCKSIZE=100", "steps of 16", id="block size"),
        pytest.param("PREDICTOR=4", "1, 2, 3", id="predictor"),
    ],
)
@pytest.mark.parametrize("driver", ["GTiff", "COG"])
def test_an_option_that_gdal_would_take_in_silence_is_refused(option, message, driver):
    name, value = option.split("=")
    with pytest.raises(UsageError, match=message) as caught:
        Writing(driver, creation=((name, value),))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("driver", ["PNG", "gtiff", "VRT"])
def test_other_formats_are_refused(driver):
    with pytest.raises(UsageError, match="GTiff, COG"):
        Writing(driver)


def test_a_predictor_needs_a_codec_that_has_one():
    with pytest.raises(UsageError, match="PREDICTOR needs"):
        Writing(creation=(("PREDICTOR", "2"), ("COMPRESS", "NONE")))


def test_packbits_is_not_for_cogs():
    """The COG driver does not know it."""
    with pytest.raises(UsageError, match="PACKBITS"):
        Writing("COG", creation=(("COMPRESS", "PACKBITS"),))


@pytest.mark.parametrize(
    ("shape", "pixel", "blocks"),
    [
        ((5000, 5000), 1, (512, 512)),
        ((5000, 5000), 100, (256, 256)),
        ((300, 5000), 1, (304, 512)),
        ((1, 1), 1, (1, 1)),
        ((1, 5000), 1, (1, 5000)),
        ((5000, 15), 4, (512, 15)),
    ],
)
def test_blocks_fit_the_raster(shape, pixel, blocks):
    assert block_shape(*shape, pixel, {}) == blocks
