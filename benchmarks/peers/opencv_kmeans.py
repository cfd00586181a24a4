"""K-means of OpenCV, on every pixel: opencv_kmeans.py SCENE MAP."""

import sys

import cv2
from strips import CLASSES, PASSES, Scene


def main(scene_path: str, out: str) -> None:
    scene = Scene(scene_path)
    valid, pixels = scene.everything()
    cv2.setRNGSeed(0)
    end = (cv2.TERM_CRITERIA_MAX_ITER, PASSES, 0)
    _, labels, _ = cv2.kmeans(pixels, CLASSES, None, end, 1, cv2.KMEANS_PP_CENTERS)
    scene.write(out, valid, labels[:, 0])


main(*sys.argv[1:])
