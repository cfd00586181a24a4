"""Compiled loops over pixels.

All take stored values band by band, ``values[band, pixel]``, and the affine map that brings them
into the engine's space, ``z = values * gain + offset``. Each pixel's result is formed by a fixed
order of additions, bands ascending, so it does not depend on how the scene was cut. Ties go to
the lowest class. Pixels are worked on in short runs that stay in the processor's nearest cache.
"""

from __future__ import annotations

import numpy as np

from rsclass.core.compiling import compiled as compiled

RUN = 512


@compiled
def keys_below(valid, row, col, width, base, most, keys, places):
    """Fill ``keys`` and ``places`` of the valid pixels whose keys are at most ``most``.

    The keys are those of :func:`rsclass.core.sampling.place_keys`. Returns how many there are.
    """
    golden = np.uint64(0x9E3779B97F4A7C15)
    mix1 = np.uint64(0xBF58476D1CE4E5B9)
    mix2 = np.uint64(0x94D049BB133111EB)
    key = np.empty(width, np.uint64)
    n = 0
    for r in range(len(valid) // width):
        z = (np.uint64(row + r) ^ base) + golden
        z = (z ^ (z >> np.uint64(30))) * mix1
        z = (z ^ (z >> np.uint64(27))) * mix2
        of_row = z ^ (z >> np.uint64(31))
        for c in range(width):
            z = (of_row ^ (np.uint64(col + c) * mix2)) + golden
            z = (z ^ (z >> np.uint64(30))) * mix1
            z = (z ^ (z >> np.uint64(27))) * mix2
            key[c] = z ^ (z >> np.uint64(31))
        for c in range(width):
            if key[c] <= most and valid[r * width + c]:
                keys[n] = key[c]
                places[n] = r * width + c
                n += 1
    return n


@compiled
def closer(values, center, nearest, out):
    """The smaller of ``nearest`` and the squared distance to ``center``, into ``out`` (pixels,)."""
    n_bands, n_pixels = values.shape
    d = np.empty(RUN)
    for start in range(0, n_pixels, RUN):
        n = min(RUN, n_pixels - start)
        for i in range(n):
            d[i] = 0.0
        for b in range(n_bands):
            x = values[b, start : start + n]
            m = center[b]
            for i in range(n):
                t = x[i] - m
                d[i] += t * t
        for i in range(n):
            out[start + i] = min(nearest[start + i], d[i])


@compiled
def errors(values, centers, error, loss):
    """Add up, for each class, the squared distance to its center and what the next would add."""
    n_bands, n_pixels = values.shape
    n_classes = len(centers)
    d = np.empty(RUN)
    first = np.empty(RUN)
    second = np.empty(RUN)
    label = np.empty(RUN)
    for start in range(0, n_pixels, RUN):
        n = min(RUN, n_pixels - start)
        for i in range(n):
            first[i] = np.inf
            second[i] = np.inf
            label[i] = 0.0
        for k in range(n_classes):
            number = float(k)
            for i in range(n):
                d[i] = 0.0
            for b in range(n_bands):
                x = values[b, start : start + n]
                m = centers[k, b]
                for i in range(n):
                    t = x[i] - m
                    d[i] += t * t
            for i in range(n):
                less = d[i] < first[i]
                second[i] = first[i] if less else min(second[i], d[i])
                label[i] = number if less else label[i]
                first[i] = d[i] if less else first[i]
        for i in range(n):
            k = int(label[i])
            error[k] += first[i]
            loss[k] += second[i] - first[i]


@compiled
def all_distances2(values, valid, gain, offset, centers, out):
    """Squared distance of every pixel to every center, into ``out`` (classes, pixels)."""
    n_bands, n_pixels = values.shape
    n_classes = centers.shape[0]
    z = np.empty((n_bands, RUN))
    d = np.empty(RUN)
    for start in range(0, n_pixels, RUN):
        n = min(RUN, n_pixels - start)
        for b in range(n_bands):
            for i in range(n):
                z[b, i] = values[b, start + i] * gain[b] + offset[b]
        for k in range(n_classes):
            for i in range(n):
                d[i] = 0.0
            for b in range(n_bands):
                m = centers[k, b]
                for i in range(n):
                    t = z[b, i] - m
                    d[i] += t * t
            for i in range(n):
                out[k, start + i] = d[i] if valid[start + i] else np.nan


@compiled
def scatter_tally(values, labels, origin, count, sums, scatter):
    """Add up count, sum and cross products of ``values - origin`` for each class.

    ``labels`` (pixels,) below 0 are left out. ``sums`` (classes, bands) and the upper triangle of
    ``scatter`` (classes, bands, bands) are exact when they are integer arrays.
    """
    n_bands, n_pixels = values.shape
    x = np.empty(n_bands, origin.dtype)
    for i in range(n_pixels):
        k = labels[i]
        if k < 0:
            continue
        count[k] += 1
        for b in range(n_bands):
            x[b] = values[b, i] - origin[b]
        for b in range(n_bands):
            xb = x[b]
            sums[k, b] += xb
            for c in range(b, n_bands):
                scatter[k, b, c] += xb * x[c]


@compiled
def exact_scatter_tally(values, labels, count, sums, scatter):
    """As :func:`scatter_tally` for whole numbers of at most 16 bits, several times as fast.

    Pixels are brought together by class first, so that the products of two bands stand in rows.
    """
    n_bands, n_pixels = values.shape
    n_classes = len(count)
    size = min(max(2048, 64 * n_classes), n_pixels)
    x = np.empty((n_bands, size), np.int32)
    place = np.empty(size, np.int64)
    end = np.empty(n_classes + 1, np.int64)
    for start in range(0, n_pixels, size):
        n = min(size, n_pixels - start)
        end[:] = 0
        for i in range(n):
            k = labels[start + i]
            if k >= 0:
                end[k + 1] += 1
        for k in range(n_classes):
            count[k] += end[k + 1]
            end[k + 1] += end[k]
        kept = end[n_classes]
        # From where a class begins, ``end`` moves to where it ends.
        for i in range(n):
            k = labels[start + i]
            if k >= 0:
                place[end[k]] = i
                end[k] += 1
        for b in range(n_bands):
            band = values[b, start : start + n]
            xb = x[b]
            for i in range(kept):
                xb[i] = band[place[i]]
        low = 0
        for k in range(n_classes):
            high = end[k]
            if high == low:
                continue
            for b in range(n_bands):
                xb = x[b, low:high]
                total = np.int64(0)
                for i in range(high - low):
                    total += np.int64(xb[i])
                sums[k, b] += total
                for c in range(b, n_bands):
                    xc = x[c, low:high]
                    total = np.int64(0)
                    for i in range(high - low):
                        total += np.int64(xb[i]) * np.int64(xc[i])
                    scatter[k, b, c] += total
            low = high


@compiled
def variance_tally(values, labels, origin, count, sums, squares):
    """As :func:`scatter_tally`, without the products of different bands."""
    n_bands, n_pixels = values.shape
    for i in range(n_pixels):
        k = labels[i]
        if k < 0:
            continue
        count[k] += 1
        for b in range(n_bands):
            x = values[b, i] - origin[b]
            sums[k, b] += x
            squares[k, b] += x * x


@compiled
def minibatch_updates(table, batch, centers, seen):
    """Sculley's updates: label a batch with its nearest centers, then move these pixel by pixel.

    ``table`` (pixels, bands) in engine space is taken in its order, ``batch`` pixels at a time;
    ``centers`` (classes, bands) and ``seen`` (classes,), the pixels of each so far, are changed.
    """
    n_pixels, n_bands = table.shape
    n_classes = centers.shape[0]
    label = np.empty(batch, np.int32)
    for start in range(0, n_pixels, batch):
        n = min(batch, n_pixels - start)
        for i in range(n):
            best = np.inf
            label[i] = 0
            for k in range(n_classes):
                d = 0.0
                for b in range(n_bands):
                    t = table[start + i, b] - centers[k, b]
                    d += t * t
                if d < best:
                    best = d
                    label[i] = k
        for i in range(n):
            k = label[i]
            seen[k] += 1
            rate = 1.0 / seen[k]
            for b in range(n_bands):
                centers[k, b] += rate * (table[start + i, b] - centers[k, b])


@compiled
def compete(table, rate, weights, wins):
    """Show pixels to a layer of units one by one; the winner moves toward each.

    Unit k answers ``w_k . x - |w_k|^2 / 2``, and the largest answer wins, the lowest unit in a
    tie. ``rate`` 0 stands for 1 / wins. ``weights`` (units, bands) and ``wins`` (units,) are
    changed; ``table`` (pixels, bands) is taken in its order.
    """
    n_pixels, n_bands = table.shape
    n_units = weights.shape[0]
    bias = np.zeros(n_units)
    for k in range(n_units):
        for b in range(n_bands):
            bias[k] -= weights[k, b] * weights[k, b] / 2
    for i in range(n_pixels):
        best = -np.inf
        winner = 0
        for k in range(n_units):
            answer = bias[k]
            for b in range(n_bands):
                answer += weights[k, b] * table[i, b]
            if answer > best:
                best = answer
                winner = k
        wins[winner] += 1
        step = rate if rate > 0 else 1.0 / wins[winner]
        bias[winner] = 0.0
        for b in range(n_bands):
            w = weights[winner, b] + step * (table[i, b] - weights[winner, b])
            weights[winner, b] = w
            bias[winner] -= w * w / 2


@compiled
def silhouettes(values, labels, counts, out):
    """Silhouette of every pixel under several labelings, added up into ``out`` (labelings,).

    ``values`` (bands, pixels); ``labels`` (labelings, pixels) from 0; ``counts`` (labelings,
    largest number of classes) the pixels of each class. A pixel alone in its class adds nothing.
    """
    n_bands, n_pixels = values.shape
    n_labelings, n_classes = counts.shape
    d = np.empty(n_pixels)
    # Neighbors often share a class; in four lanes their additions need not wait for each other.
    lanes = np.empty((4, n_classes))
    sums = np.empty(n_classes)
    for i in range(n_pixels):
        for j in range(n_pixels):
            d[j] = 0.0
        for b in range(n_bands):
            x = values[b, i]
            for j in range(n_pixels):
                t = values[b, j] - x
                d[j] += t * t
        for j in range(n_pixels):
            d[j] = np.sqrt(d[j])
        for c in range(n_labelings):
            own = labels[c, i]
            if counts[c, own] < 2:
                continue
            lanes[:] = 0.0
            for j in range(n_pixels):
                lanes[j & 3, labels[c, j]] += d[j]
            for k in range(n_classes):
                sums[k] = lanes[0, k] + lanes[1, k] + lanes[2, k] + lanes[3, k]
            within = sums[own] / (counts[c, own] - 1)
            between = np.inf
            for k in range(n_classes):
                if k != own and counts[c, k] > 0:
                    between = min(between, sums[k] / counts[c, k])
            larger = max(within, between)
            if larger > 0:
                out[c] += (between - within) / larger


@compiled
def project(values, matrix, out):
    """Matrix product ``matrix @ values`` into ``out``, each number summed in the order of bands.

    A matrix library rounds in an order of its own, which may change from call to call.
    """
    n_bands, n_pixels = values.shape
    for start in range(0, n_pixels, RUN):
        stop = min(start + RUN, n_pixels)
        for c in range(len(matrix)):
            for i in range(start, stop):
                out[c, i] = 0
            for b in range(n_bands):
                m = matrix[c, b]
                for i in range(start, stop):
                    out[c, i] += m * values[b, i]
