// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A GPU's clock for tests: four frequencies, and writes fail with fail_errno once that is set. */
#include <linux/devfreq.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm_opp.h>

static const unsigned long table_hz[] = { 300000000, 600000000, 900000000, 1200000000 };
static unsigned long clock_hz = 300000000;
static int fail_errno;
module_param(fail_errno, int, 0644);

static int gpu_target(struct device *device, unsigned long *hz, u32 flags)
{
	struct dev_pm_opp *opp = devfreq_recommended_opp(device, hz, flags);

	if (IS_ERR(opp))
		return PTR_ERR(opp);
	dev_pm_opp_put(opp);
	if (fail_errno)
		return -fail_errno;
	clock_hz = *hz;
	return 0;
}

static int gpu_status(struct device *device, struct devfreq_dev_status *status)
{
	status->total_time = 100;
	status->busy_time = 40;
	status->current_frequency = clock_hz;
	return 0;
}

static int gpu_clock(struct device *device, unsigned long *hz)
{
	*hz = clock_hz;
	return 0;
}

static struct devfreq_dev_profile profile = {
	.initial_freq = 300000000,
	.polling_ms = 50,
	.target = gpu_target,
	.get_dev_status = gpu_status,
	.get_cur_freq = gpu_clock,
};

static int __init gpu_init(void)
{
	struct platform_device *gpu = platform_device_register_simple("17000000.gpu", -1, NULL, 0);
	struct devfreq *devfreq;
	int i;

	if (IS_ERR(gpu))
		return PTR_ERR(gpu);
	for (i = 0; i < ARRAY_SIZE(table_hz); i++)
		dev_pm_opp_add(&gpu->dev, table_hz[i], 900000);
	devfreq = devfreq_add_device(&gpu->dev, &profile, "simple_ondemand", NULL);
	if (IS_ERR(devfreq))
		platform_device_unregister(gpu);
	return PTR_ERR_OR_ZERO(devfreq);
}
module_init(gpu_init); /* it is never removed: the machine is thrown away */

MODULE_DESCRIPTION("A GPU's clock for tests");
MODULE_LICENSE("Dual MIT/GPL");
