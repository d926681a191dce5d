/** What the registry's page says, in English and Chinese. */
import type { Language } from "../../core/language.ts";
import type { InstanceStatus } from "./api.ts";

export interface RegistryPageTexts {
  readonly title: string;
  readonly reload: string;
  readonly asOf: string;
  readonly preservation: string;
  readonly preservationOn: string;
  readonly preservationOff: string;
  readonly renewals: string;
  readonly threshold: string;
  readonly peers: string;
  readonly peer: string;
  readonly noPeers: string;
  readonly reachable: string;
  readonly unreachable: string;
  readonly pending: string;
  readonly everything: string;
  readonly instances: string;
  readonly noInstances: string;
  readonly application: string;
  readonly instance: string;
  readonly address: string;
  readonly status: string;
  readonly lease: string;
  readonly renewedAgo: (seconds: number, leaseSeconds: number) => string;
  readonly lapsedFor: (seconds: number) => string;
  readonly more: (count: number) => string;
  readonly byOperator: string;
  readonly statuses: Readonly<Record<InstanceStatus, string>>;
  readonly elsewhere: string;
}

export const REGISTRY_PAGE_TEXTS: Readonly<Record<Language, RegistryPageTexts>> = {
  en: {
    title: "Service registry",
    reload: "Load again",
    asOf: "As of",
    preservation: "Self-preservation",
    preservationOn:
      "On. So few instances renew that it is likelier this registry is cut off than that the others are gone: nobody is evicted.",
    preservationOff: "Off. Enough instances renew; those that have stopped are evicted.",
    renewals: "Renewals in the last minute",
    threshold: "Evictions need more than",
    peers: "Peers",
    peer: "Registry",
    noPeers: "This registry has no peers.",
    reachable: "answers",
    unreachable: "does not answer; it is tried again",
    pending: "Yet to be told",
    everything: "everything",
    instances: "Instances",
    noInstances: "Nobody is registered.",
    application: "Application",
    instance: "Instance",
    address: "Address",
    status: "Status",
    lease: "Lease",
    renewedAgo: (seconds, leaseSeconds) => `renewed ${seconds} s ago, holds ${leaseSeconds} s`,
    lapsedFor: (seconds) => `lapsed ${seconds} s ago`,
    more: (count) => `${count} more are not shown; the address below has them all.`,
    byOperator: "set by an operator",
    statuses: { UP: "up", DOWN: "down", STARTING: "starting", OUT_OF_SERVICE: "out of service", UNKNOWN: "unknown" },
    elsewhere: "For programs:",
  },
  zh: {
    title: "服务注册中心",
    reload: "重新加载",
    asOf: "数据时间",
    preservation: "自我保护",
    preservationOn: "已开启。续约的实例过少，更可能是本注册中心网络中断，而不是其他实例已下线：暂不剔除任何实例。",
    preservationOff: "未开启。续约正常，停止续约的实例会被剔除。",
    renewals: "最近一分钟续约数",
    threshold: "剔除需超过",
    peers: "对等节点",
    peer: "注册中心",
    noPeers: "本注册中心没有对等节点。",
    reachable: "有响应",
    unreachable: "无响应，正在重试",
    pending: "待同步",
    everything: "全部",
    instances: "实例",
    noInstances: "尚无实例注册。",
    application: "应用",
    instance: "实例",
    address: "地址",
    status: "状态",
    lease: "租约",
    renewedAgo: (seconds, leaseSeconds) => `${seconds} 秒前续约，有效期 ${leaseSeconds} 秒`,
    lapsedFor: (seconds) => `已过期 ${seconds} 秒`,
    more: (count) => `另有 ${count} 个实例未显示，可在下方地址查看全部。`,
    byOperator: "由运维人员设置",
    statuses: { UP: "正常", DOWN: "故障", STARTING: "启动中", OUT_OF_SERVICE: "暂停服务", UNKNOWN: "未知" },
    elsewhere: "程序接口：",
  },
};
