"""Numbers of colour channels that preprocessing rests on."""

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (123.68, 116.779, 103.939)
LUMINANCE = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""
